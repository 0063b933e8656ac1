// Requests made from the description: such that fit it, and such that are spoilt in one place. Every
// text that is made up has the mark in it, so that what is sent can be told from what the vault says.
import fc from 'fast-check'

export const mark = 'qzxj'
const marked = (max = 40) => fc.string({ maxLength: Math.min(max, 60) - mark.length }).map((text) => mark + text.replaceAll('\0', ''))
const rarely = (often, seldom) => fc.oneof({ weight: 5, arbitrary: often }, { weight: 1, arbitrary: seldom })
const jsonOf = (...leaves) => fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 3 }, fc.constantFrom(null, true, false, 0, -1, 1.5, 1e300, ...leaves),
    marked(), fc.integer(), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(marked(), tie('value'), { maxKeys: 3 })),
})).value
const anyJson = jsonOf()
const oddJson = jsonOf('', '\0', '\ud83d', 1e19, -(2 ** 63)) // no text has a NUL or half a character

// What the names of the description stand for in this vault: client is who asks.
const known = {
  subject: (client) => fc.constantFrom(...client.subjects),
  purpose: (client) => fc.constantFrom(...Object.keys(client.me.purposes)),
  field: (client) => fc.constantFrom(...client.deposits ?? Object.values(client.me.purposes).flatMap(({ fields }) => Object.keys(fields))),
  id: (client) => fc.constantFrom(...client.requests),
}
const form = rarely(fc.constantFrom(null, 'as_is', 'year'), marked(32))
const day = fc.date({ min: new Date('2000-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })

const byName = {
  Subject: (client, schema) => rarely(known.subject(client), fc.stringMatching(new RegExp(schema.pattern))),
  Name: (client) => rarely(known.purpose(client), marked(128)),
  Ulid: (client, schema) => rarely(known.id(client), fc.stringMatching(new RegExp(schema.pattern))),
  Date: () => day.map((date) => date.toISOString().slice(0, 10)),
  Instant: () => day.map((date) => `${date.toISOString().slice(0, 19)}Z`),
  Message: () => fc.constantFrom(`${mark} Bonjour,\nà bientôt`, `${mark} 🚲`, ''),
  FieldName: (client) => fieldName(client),
  EvaluationSubject: (client) => rarely(fc.constant({ type: 'service', id: client.id }), fc.constant({ type: 'service', id: `${mark}.other` })),
  CertificateRequest: (client) => fc.constant({ csr: client.csr }),
  Context: () => fc.dictionary(rarely(fc.constantFrom('assurance_at_least', 'citizen_is_minor'), marked()),
    rarely(fc.constantFrom(true, 'substantial'), anyJson), { maxKeys: 3 }),
}
const fieldName = (client) => rarely(rarely(known.field(client), fc.constantFrom('identity.name', 'health.disability_recognised')), marked())

// Something that fits the schema. A dictionary of the requests is one of fields.
export function fitting(doc, schema, client) {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1)
    const target = doc.components.schemas[name]
    return byName[name]?.(client, target) ?? fitting(doc, target, client)
  }
  if (schema.oneOf) return fc.oneof(...schema.oneOf.map((one) => fitting(doc, one, client)))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.type)) {
    const of = (type) => fitting(doc, { ...schema, type }, client)
    return schema.type.includes('string') ? form : fc.oneof(...schema.type.map(of))
  }
  switch (schema.type) {
  case 'null': return fc.constant(null)
  case 'boolean': return fc.boolean()
  case 'integer': return rarely(fc.integer({ min: schema.minimum, max: Math.min(schema.maximum ?? 400, 400) }),
    fc.constantFrom(schema.minimum, schema.maximum ?? schema.minimum))
  case 'string': return schema.pattern ? fc.stringMatching(new RegExp(schema.pattern)) : marked(schema.maxLength)
  case 'array': {
    const options = { minLength: schema.minItems, maxLength: Math.min(schema.maxItems, 6) }
    const item = schema.uniqueItems ? fieldName(client) : fitting(doc, schema.items, client)
    return schema.uniqueItems ? fc.uniqueArray(item, options) : fc.array(item, options)
  }
  case 'object': return fittingObject(doc, schema, client)
  default: return rarely(fc.constant('training'), anyJson) // of the type that a deposited field has
  }
}

function fittingObject(doc, schema, client) {
  if (!schema.properties)
    return fc.dictionary(fieldName(client), fitting(doc, schema.additionalProperties ?? {}, client), { minKeys: schema.minProperties, maxKeys: 3 })
  const members = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, fitting(doc, one, client)]))
  return fc.record(members, { requiredKeys: schema.required ?? [] })
}

// --- A whole request --------------------------------------------------------------------------------

const parameter = (doc, { $ref }) => doc.components.parameters[$ref.split('/').at(-1)]
const shortWait = (name, value) => (name === 'wait' ? fc.oneof({ weight: 60, arbitrary: fc.constant('0') }, { weight: 1, arbitrary: fc.constant('1') }) : value.map(String))

// { who, method, template, steps, query, headers, body }: as the description of the call has it, by one of
// the services. The body is JSON.
export function request(doc, call, clients) {
  return fc.constantFrom(...clients).chain((client) => {
    const parameters = call.parameters.map((one) => parameter(doc, one))
    const one = ({ name, schema }) => shortWait(name, fitting(doc, schema, client))
    const of = (place, required) => fc.record(
      Object.fromEntries(parameters.filter((p) => p.in === place).map((p) => [p.name, one(p)])), required ? undefined : { requiredKeys: [] })
    const schema = call.requestBody?.content['application/json'].schema
    return fc.record({ steps: of('path', true), query: of('query'), headers: of('header'), body: schema ? fitting(doc, schema, client) : fc.constant(undefined) })
      .map(({ steps, query, headers, body }) => ({ who: client.id, method: call.method, template: call.path, steps, query, headers, body }))
  })
}

const encode = (text) => encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '?'))

// As it goes over the wire.
export function onWire({ method, template, steps, query, headers, body, text, type = 'application/json' }) {
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encode(steps[name]))
  const asked = Object.entries(query).flatMap(([name, values]) => [values].flat().map((value) => `${encode(name)}=${encode(value)}`)).join('&')
  const bytes = text ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)))
  return { method, path: asked ? `${path}?${asked}` : path, body: bytes, headers: { ...headers, ...(bytes && type && { 'Content-Type': type }) } }
}

// --- Spoilt in one place ------------------------------------------------------------------------------

// Every place in a JSON value, as a list of steps.
function places(value, at = []) {
  if (value === null || typeof value !== 'object') return [at]
  return [at, ...Object.keys(value).flatMap((name) => places(value[name], [...at, name]))]
}

function changed(value, [step, ...rest], change) {
  if (step === undefined) return change(value)
  const copy = Array.isArray(value) ? [...value] : { ...value }
  const next = changed(copy[step], rest, change)
  if (next === undefined && !Array.isArray(copy)) delete copy[step]
  else copy[step] = next
  return copy
}

const somewhere = (body, change) => fc.constantFrom(...places(body)).chain((at) => change.map((how) => changed(body, at, how)))
const spliced = (body, piece) => {
  const text = Buffer.from(JSON.stringify(body))
  return fc.nat(text.length).map((at) => Buffer.concat([text.subarray(0, at), piece, text.subarray(at)]))
}

const ofBody = [
  (sent) => somewhere(sent.body, oddJson.map((other) => () => other)).map((body) => ({ body })),
  (sent) => somewhere(sent.body, fc.constant(() => undefined)).map((body) => ({ body: body ?? null })),
  (sent) => somewhere(sent.body, marked().map((name) => (value) => ({ ...Object(value), [name]: mark }))).map((body) => ({ body })),
  (sent) => fc.constantFrom(...Object.keys(sent.body)).map((name) =>
    ({ text: Buffer.from(JSON.stringify(sent.body).replace(/}$/, `,${JSON.stringify(name)}:"${mark}"}`)) })),
  (sent) => fc.nat(JSON.stringify(sent.body).length - 1).map((size) => ({ text: Buffer.from(JSON.stringify(sent.body)).subarray(0, size) })),
  (sent) => fc.uint8Array({ minLength: 1, maxLength: 3 }).chain((bytes) => spliced(sent.body, Buffer.from(bytes))).map((text) => ({ text })),
  (sent) => fc.constantFrom('text/plain', 'application/xml', 'application/json; charset=latin1', 'application/jsonx', undefined)
    .map((type) => ({ body: sent.body, type: type ?? '' })),
  () => fc.constantFrom('[', '{"a":').map((piece) => ({ text: Buffer.from(piece.repeat(2000)) })),
]
const ofAny = [
  (sent) => fc.constantFrom(...Object.keys(sent.steps)).chain((name) => fc.oneof(marked(), fc.constantFrom('', '.', '..', '%', 'a/b', 'A'.repeat(200)))
    .map((value) => ({ steps: { ...sent.steps, [name]: value } }))),
  (sent) => fc.record({ name: fc.constantFrom('after', 'wait', 'proof', 'qr', mark),
    value: fc.oneof(marked(), fc.constantFrom('\0', '-1', '1e3', '99999999999999999999', '61.5', '0x1')) })
    .map(({ name, value }) => ({ query: { ...sent.query, [name]: name === 'wait' ? [value, value] : value } })),
  (sent) => fc.constantFrom('', 'é', mark.repeat(17), [mark, mark], '\t').map((key) => ({ headers: { ...sent.headers, 'Idempotency-Key': key } })),
  (sent) => fc.constant({ query: { ...sent.query, [mark]: '\0' } }),
  () => fc.constant({ text: Buffer.alloc(65_537, 0x20) }),
]

// The same request, wrong in one place. Where chance made that right, the vault may do it.
export function spoilt(doc, call, clients) {
  return request(doc, call, clients).chain((sent) => {
    const ofPath = Object.keys(sent.steps).length ? [ofAny[0], ofAny[0]] : []
    const ways = [...(sent.body === undefined ? [] : ofBody), ...ofPath, ...ofAny.slice(1)]
    return fc.constantFrom(...ways).chain((way) => way(sent)).map((change) => ({ ...sent, ...change }))
  })
}
