// The vault of a running demo/run, as its services and one of its citizens ask it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const demo = JSON.parse(readFileSync(process.env.VAULT_DEMO, 'utf8'))
const ca = readFileSync(demo.ca)
const address = new URL(demo.services)
const pages = new URL(demo.citizens)

export const people = demo.people
export const clients = demo.clients.map(({ id, cert, key, example }) =>
  ({ id, example, csr: csrOf(key), subjects: people.map(({ subjects }) => subjects[id]), agent: agentOf(readFileSync(cert), readFileSync(key)) }))

function agentOf(cert, key) {
  return new Agent({ ca, cert, key, keepAlive: true, maxSockets: 16 })
}

// A certificate request for that very key.
function csrOf(key) {
  return execFileSync('openssl', ['req', '-new', '-key', key, '-subj', '/CN=service'], { encoding: 'utf8' })
}

// Ask, and give { status, headers, text }. A body that is too large is announced first, so that the
// answer is not lost to what is still being sent.
export function send(client, { method, path, headers = {}, body }) {
  return exchange({ host: address.hostname, port: address.port, agent: client.agent, method, path }, headers, body)
}

function exchange(options, headers, body) {
  return new Promise((resolve, reject) => {
    const announced = body !== undefined && body.length > 65_536
    const call = request({
      ...options,
      headers: { ...headers, ...(body !== undefined && { 'Content-Length': body.length }), ...(announced && { Expect: '100-continue' }) },
    }, async (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      for await (const part of answer) text += part
      resolve({ status: answer.statusCode, headers: answer.headers, text })
      if (announced) call.destroy()
    })
    call.on('error', reject)
    call.setTimeout(20_000, () => call.destroy(new Error(`${options.method} ${options.path}: no answer`)))
    if (announced) call.on('continue', () => call.end(body))
    else call.end(body)
    if (announced) call.flushHeaders()
  })
}

const json = async (client, method, path, body) => {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
  const answer = await send(client, { method, path, headers, body: body && Buffer.from(JSON.stringify(body)) })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer.text ? JSON.parse(answer.text) : undefined
}

export const describe = () => json(clients[0], 'GET', '/v1/openapi.json')
export const me = (client) => json(client, 'GET', '/v1/me')
export const ask = (client, body) => json(client, 'POST', '/v1/access-requests', body)

// A service of a class that the policy lets deposit, with a key of its own.
export function addService(registration) {
  const dir = mkdtempSync(join(tmpdir(), 'vault-api-'))
  const file = (name) => join(dir, name)
  const ctl = (words, input = '') => execFileSync(demo.vaultctl, ['--config', demo.config, ...words], { input, encoding: 'utf8' })
  try {
    execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', `/CN=${registration.id}`, '-keyout', file('key'), '-out', file('csr')], { stdio: 'ignore' })
    writeFileSync(file('json'), JSON.stringify(registration))
    ctl(['service', 'add', file('json'), '--csr', file('csr'), '--out', file('pem')])
    const subjects = ctl(['service', 'subjects', registration.id], people.map(({ id }) => `${id}\n`).join(''))
      .trim().split('\n').map((line) => line.split(' ')[1])
    const client = { id: registration.id, csr: csrOf(file('key')), subjects, agent: agentOf(readFileSync(file('pem')), readFileSync(file('key'))) }
    clients.push(client)
    return client
  } finally {
    rmSync(dir, { recursive: true })
  }
}

// A citizen signs in, and answers the request with that code: 'give' or 'refuse'.
export async function decide(person, code, how) {
  const agent = new Agent({ ca })
  const cookies = new Map()
  const visit = async (path, form) => {
    const body = form && Buffer.from(new URLSearchParams(form).toString())
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { 'Sec-Fetch-Site': 'same-origin', Cookie, ...(form && { 'Content-Type': 'application/x-www-form-urlencoded' }) }
    const answer = await exchange({ host: pages.hostname, port: pages.port, agent, method: form ? 'POST' : 'GET', path }, headers, body)
    for (const line of answer.headers['set-cookie'] ?? []) cookies.set(...line.split(';')[0].split('=', 2))
    if (answer.status >= 400) throw new Error(`${path} answered ${answer.status}`)
    return answer
  }
  const field = (page, name) => page.text.match(new RegExp(`<input[^>]*name="${name}"[^>]*value="([^"]*)"`))[1]
  const token = async (path) => field(await visit(path), 'form_token')
  await visit('/sign-in', { form_token: await token('/sign-in'), login: person.login, password: person.password })
  const { headers } = await visit('/request', { form_token: await token('/'), code })
  const { pathname } = new URL(headers.location, pages)
  const page = await visit(pathname)
  await visit(`${pathname}/${how}`, { form_token: field(page, 'form_token'), shown: field(page, 'shown'), period: field(page, 'period') })
}
