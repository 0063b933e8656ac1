// Mediators' passkeys with Chromium's own virtual authenticator: where they are offered, in the vault of
// the other tests; where they are required, in one of its own.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { base, checkPage, ctl, hook, languages, openBrowser, openWithAuthenticator } from './support.mjs'

const password = 'quatre verbes sans rapport'
let browser
let required // the other vault: its address, and its vaultctl

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

// A vault without a policy, which is enough to sign in.
async function startRequired() {
  const folder = mkdtempSync(join(tmpdir(), 'required-'))
  const vaultctl = process.env.VAULT_CTL_COMMAND.match(/^'([^']+)'/)[1]
  const config = join(folder, 'vault', 'vaultd.json')
  const run = (...words) => execFileSync(vaultctl, words, { encoding: 'utf8' })
  const signer = run('policy', 'key', 'dpo', join(folder, 'dpo.key')).trim()
  const port = await freePort()
  run('init', '--dir', join(folder, 'vault'), '--port', String(port), '--origin', 'vault.example/required',
    '--policy-signer', signer, '--allow-swap')
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config)), mediators: { passkey: 'required' } }))
  const daemon = spawn(join(dirname(vaultctl), 'vaultd'), ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise((resolve, reject) => {
    daemon.stderr.on('data', (text) => { if (String(text).includes('"event":"ready"')) resolve() })
    daemon.once('exit', () => reject(new Error('the vault that requires passkeys ended')))
  })
  const { citizens } = JSON.parse(readFileSync(config))
  return {
    base: `https://localhost:${citizens.port}`,
    ctl: (...words) => run('--config', config, ...words),
    stop: async () => {
      const ended = new Promise((resolve) => daemon.once('exit', resolve))
      daemon.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

before(async () => {
  browser = await openBrowser()
  required = await startRequired()
  required.ctl('mediator', 'add-structure', 'hub', 'A digital hub')
})
after(async () => {
  await browser?.close()
  await required?.stop()
})

const path = (page) => new URL(page.url()).pathname

async function enter(page, at, login, word) {
  await page.goto(`${at}/mediator/sign-in`)
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', word)
  await hook(page, 'login').click()
}

async function add(page, name) {
  await page.fill('#label', name)
  await hook(page, 'passkey-add').click()
  await page.locator('h3', { hasText: name }).waitFor()
}

const firstOf = (answer) => JSON.parse(answer).first_password

for (const [language] of Object.entries(languages)) {
  test(`${language}: offered: a mediator adds one, signs in by it, shows that it is still them, removes it`, async () => {
    const login = `cle-${language}-${Date.now()}`
    const first = firstOf(ctl('--json', 'mediator', 'add', process.env.VAULT_STRUCTURE, login, 'Nour Exemple'))
    const { page } = await openWithAuthenticator(browser, language)
    await enter(page, base, login, first)
    await page.fill('[name=password]', first)
    await page.fill('[name=new_password]', password)
    await page.locator('form[action="/mediator/password"] button').click()
    await page.locator('a[href="/mediator/security"]').first().click()
    await checkPage(page, language, 'a mediator’s security')
    await add(page, 'Bureau')
    await checkPage(page, language, 'a mediator’s security with a passkey')
    await page.goto(`${base}/mediator`)
    await checkPage(page, language, 'a mediator’s home with a passkey')
    await hook(page, 'logout').click()
    await checkPage(page, language, 'where mediators sign in, with script on')
    await Promise.all([page.waitForURL(`${base}/mediator`), hook(page, 'passkey-login').click()])
    await page.goto(`${base}/mediator/security/again`)
    await checkPage(page, language, 'a mediator again')
    await Promise.all([page.waitForURL(`${base}/mediator/security`), page.locator('form[data-passkey=again] button').click()])
    await page.locator('form[action="/mediator/security/passkeys/remove"] button').click()
    assert.equal(await page.locator('h3').count(), 0)
    await hook(page, 'logout').click()
    await hook(page, 'passkey-login').click()
    await page.locator('[data-problem=refused]:visible').waitFor()
    assert.equal(path(page), '/mediator/sign-in')
    ctl('mediator', 'remove', login)
    await page.context().close()
  })

  test(`${language}: required: a first password leads to a passkey, and no password lets in from then on`, async () => {
    const login = `cle-${language}`
    const first = firstOf(required.ctl('--json', 'mediator', 'add', 'hub', login, 'Nour Exemple'))
    const { page } = await openWithAuthenticator(browser, language, required.base)
    await page.goto(`${required.base}/mediator`)
    await checkPage(page, language, 'where mediators sign in by a passkey')
    await enter(page, required.base, login, first)
    assert.equal(path(page), '/mediator/security')
    await checkPage(page, language, 'where a first password is exchanged for a passkey')
    await page.goto(`${required.base}/mediator`)
    assert.equal(path(page), '/mediator/security')
    await add(page, 'Bureau')
    await checkPage(page, language, 'a mediator’s security with their only passkey')
    assert.equal(await page.locator('form[action="/mediator/security/passkeys/remove"]').count(), 0)
    await page.goto(`${required.base}/mediator/security/again`)
    await checkPage(page, language, 'a mediator again, by a passkey alone')
    await page.goto(`${required.base}/mediator`)
    assert.equal(path(page), '/mediator')
    await checkPage(page, language, 'the home of a mediator who needs a passkey')
    await hook(page, 'logout').click()
    await enter(page, required.base, login, first)
    await checkPage(page, language, 'a password where a passkey is needed')
    assert.equal(path(page), '/mediator/sign-in')
    await Promise.all([page.waitForURL(`${required.base}/mediator`), hook(page, 'passkey-login').click()])
    const again = firstOf(required.ctl('--json', 'mediator', 'reset', login)) // the device is lost
    await page.goto(`${required.base}/mediator`)
    assert.equal(path(page), '/mediator/sign-in')
    await hook(page, 'passkey-login').click()
    await page.locator('[data-problem=refused]:visible').waitFor()
    await enter(page, required.base, login, again)
    assert.equal(path(page), '/mediator/security')
    await page.context().close()
  })
}

test('a passkey of one side opens nothing of the other', async () => {
  const login = `cle-${Date.now()}`
  const first = firstOf(ctl('--json', 'mediator', 'add', process.env.VAULT_STRUCTURE, login, 'Nour Exemple'))
  const { page } = await openWithAuthenticator(browser, 'fr')
  await enter(page, base, login, first)
  await page.fill('[name=password]', first)
  await page.fill('[name=new_password]', password)
  await page.locator('form[action="/mediator/password"] button').click()
  await page.goto(`${base}/mediator/security`)
  await add(page, 'Bureau')
  await page.goto(`${base}/mediator`)
  await hook(page, 'logout').click()
  await page.goto(`${base}/sign-in`)
  await hook(page, 'passkey-login').click()
  await page.locator('[data-problem=refused]:visible').waitFor()
  assert.equal(path(page), '/sign-in')
  ctl('mediator', 'remove', login)
  await page.context().close()
})
