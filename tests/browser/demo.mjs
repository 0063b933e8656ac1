// What the browser tests need, from the demo.json of a running demo/run:
//   node demo.mjs settings FILE   the VAULT_… variables, for a shell to read
//   node demo.mjs code FILE [MORE]  ask for consent as the first service, and print the code; MORE is
//                                 JSON, members of the request
//   node demo.mjs letter FILE     the activation letter of somebody who has not been here, as HTML
//   node demo.mjs read FILE       what the first service gets of them, as JSON
//   node demo.mjs qr FILE         the same, with the link and its picture, as JSON
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { request } from 'node:https'
import { resolve } from 'node:path'

const [what, file, more] = process.argv.slice(2)
const demo = JSON.parse(readFileSync(file, 'utf8'))
const client = demo.clients[0]
const newcomer = demo.people.at(-2)

function settings() {
  const person = demo.people.at(-1) // the story is told with the first
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`
  const values = {
    VAULT_BASE: demo.citizens,
    VAULT_LOGIN: person.login,
    VAULT_PASSWORD: person.password,
    VAULT_CODE_COMMAND: [process.execPath, resolve(process.argv[1]), 'code', resolve(file)].map(quoted).join(' '),
    VAULT_QR_COMMAND: [process.execPath, resolve(process.argv[1]), 'qr', resolve(file)].map(quoted).join(' '),
    VAULT_LETTER_COMMAND: [process.execPath, resolve(process.argv[1]), 'letter', resolve(file)].map(quoted).join(' '),
    VAULT_READ_COMMAND: [process.execPath, resolve(process.argv[1]), 'read', resolve(file)].map(quoted).join(' '),
    VAULT_CTL_COMMAND: [demo.vaultctl, '--config', demo.config].map(quoted).join(' '),
    VAULT_GUARDIAN_LOGIN: demo.family.guardian.login,
    VAULT_GUARDIAN_PASSWORD: demo.family.guardian.password,
    VAULT_MINOR_LOGIN: demo.family.minor.login,
    VAULT_MINOR_PASSWORD: demo.family.minor.password,
    VAULT_MEDIATOR_LOGIN: demo.mediator.login,
    VAULT_MEDIATOR_PASSWORD: demo.mediator.password,
    VAULT_STRUCTURE: demo.mediator.structure,
    VAULT_AUDITORS: demo.auditors,
    VAULT_AUDITOR_CERT: demo.auditor.cert,
    VAULT_AUDITOR_KEY: demo.auditor.key,
  }
  for (const [name, value] of Object.entries(values)) console.log(`export ${name}=${quoted(value)}`)
}

// Call as the first service, and give the answer's JSON to what shows it.
function call(path, body, wanted, show) {
  const options = {
    method: 'POST',
    ca: readFileSync(demo.ca),
    cert: readFileSync(client.cert),
    key: readFileSync(client.key),
    headers: { 'Content-Type': 'application/json' },
  }
  request(`${demo.services}${path}`, options, async (answer) => {
    let text = ''
    for await (const part of answer) text += part
    if (answer.statusCode !== wanted) throw new Error(`the service was answered ${answer.statusCode}: ${text}`)
    console.log(show(JSON.parse(text)))
  }).end(JSON.stringify(body))
}

function ask(show) {
  const { purpose, fields } = client.example
  call('/v1/access-requests?qr=1', { purpose, fields, period_days: 180, ...JSON.parse(more ?? '{}') }, 201, show)
}

function read() {
  const { purpose, fields, context } = client.example
  call('/v1/releases', { subject: newcomer.subjects[client.id], purpose, fields, context }, 200,
    ({ released }) => JSON.stringify(released))
}

function letter() {
  const options = { input: `${newcomer.id}\n`, encoding: 'utf8' }
  console.log(execFileSync(demo.vaultctl, ['--config', demo.config, 'citizen', 'activation-code', '--letter'], options))
}

if (what === 'settings') settings()
else if (what === 'code') ask((answer) => answer.code)
else if (what === 'letter') letter()
else if (what === 'read') read()
else if (what === 'qr') ask(({ link, qr }) => JSON.stringify({ link, qr }))
else process.exit(64)
