// What the browser tests share: a browser without script, a citizen's steps, and what every page
// must hold.
import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HtmlValidate } from 'html-validate'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const validator = new HtmlValidate({ extends: ['html-validate:standard', 'html-validate:a11y'] })
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'RGAAv4', 'best-practice']

export const base = process.env.VAULT_BASE
export const languages = {
  fr: { locale: 'fr-FR', signIn: 'Connexion', home: 'Votre coffre', given: 'vous avez donné votre accord',
    refused: 'vous avez refusé', withdrawn: 'vous avez retiré votre accord', noCode: 'Aucune demande n’attend' },
  en: { locale: 'en-GB', signIn: 'Sign in', home: 'Your vault', given: 'you have given your consent',
    refused: 'you have refused', withdrawn: 'you have withdrawn your consent', noCode: 'No request is waiting' },
}

export const openBrowser = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM,
    chromiumSandbox: process.getuid() !== 0,
  })

// A window with nothing in it; without script, as all pages must work.
export async function openPage(browser, language, options = {}, home = base) {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, // the certificate is the vault's own CA's
    javaScriptEnabled: false,
    locale: languages[language].locale,
    viewport: { width: 1280, height: 900 },
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  page.complaints = []
  page.certificates = options.clientCertificates
  // Every complaint but that a page is an error, which its status says on purpose, and what was cleared as it asks.
  const meant = ['the server responded with', 'Cleared data types: "cache"']
  page.on('console', (message) => meant.some((text) => message.text().includes(text)) || page.complaints.push(message.text()))
  page.on('request', (request) => {
    if (!request.url().startsWith(home)) page.complaints.push(`asked elsewhere: ${request.url()}`)
  })
  page.on('response', (response) => { if (response.request().isNavigationRequest()) page.answer = response })
  return page
}

// A window of an auditor, who shows a certificate.
export const auditors = process.env.VAULT_AUDITORS
export const openAuditor = (browser, language) =>
  openPage(browser, language, {
    clientCertificates: [{ origin: auditors, certPath: process.env.VAULT_AUDITOR_CERT, keyPath: process.env.VAULT_AUDITOR_KEY }],
  }, auditors)

// A window with script, and an authenticator in it that knows its person.
export async function openWithAuthenticator(browser, language, home = base) {
  const page = await openPage(browser, language, { javaScriptEnabled: true }, home)
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true,
      hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
    },
  })
  return { page, session, authenticatorId }
}

// Let so many seconds pass for a page, in a moment: its animations, and when it goes elsewhere. Then
// its time stands still.
export async function pass(page, seconds) {
  const session = await page.context().newCDPSession(page)
  const over = new Promise((resolve) => session.once('Emulation.virtualTimeBudgetExpired', resolve))
  const left = page.waitForURL('**/left', { waitUntil: 'commit', timeout: 0 }).catch(() => {})
  await session.send('Emulation.setVirtualTimePolicy', { policy: 'advance', budget: seconds * 1000 })
  await Promise.race([over, left])
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`

// A code that a service shows, fresh each time.
export const newCode = (more = {}) =>
  execSync(`${process.env.VAULT_CODE_COMMAND} ${quoted(JSON.stringify(more))}`, { encoding: 'utf8' }).trim()

// An operator's command.
export const ctl = (...words) =>
  execSync(`${process.env.VAULT_CTL_COMMAND} ${words.map(quoted).join(' ')}`, { encoding: 'utf8' })

// Change a service's registration; what is returned puts it back.
export function putService(id, members) {
  const put = (registration) => {
    const folder = mkdtempSync(join(tmpdir(), 'service-'))
    writeFileSync(join(folder, 'service.json'), JSON.stringify(registration))
    ctl('service', 'update', join(folder, 'service.json'))
    rmSync(folder, { recursive: true })
  }
  const before = JSON.parse(ctl('--json', 'service', 'show', id)).service
  put({ ...before, ...members })
  return () => put(before)
}

// Somebody who has not been here, imported with these values besides what the demonstration's requests ask.
export function newCitizen(values = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'citizen-'))
  const login = `nouvelle.${randomUUID().slice(0, 8)}`
  const password = 'quatre mots pour essayer'
  const row = {
    reference: login, login, password,
    values: {
      'identity.birth_date': { value: '1990-05-17' }, 'employment.status': { value: 'sans emploi' }, ...values,
    },
  }
  writeFileSync(join(folder, 'people.jsonl'), `${JSON.stringify(row)}\n`)
  ctl('citizen', 'import', join(folder, 'people.jsonl'))
  rmSync(folder, { recursive: true })
  return { login, password }
}

export const hook = (page, action) => page.locator(`[data-action="${action}"]`)

export async function signIn(page, login = process.env.VAULT_LOGIN, password = process.env.VAULT_PASSWORD) {
  await page.goto(`${base}/sign-in`)
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', password)
  await hook(page, 'login').click()
}

export async function openRequest(page, more) {
  await page.goto(`${base}/`)
  await page.fill('[name=code]', newCode(more))
  await hook(page, 'request-open').click()
}

// Take back whatever was given, so that a journey begins where it can be repeated.
export async function withdrawAll(page) {
  await page.goto(`${base}/`)
  while (await hook(page, 'withdraw').count()) {
    await hook(page, 'withdraw').first().click()
    await hook(page, 'withdraw-confirm').click()
  }
}

// --- What every page must hold ------------------------------------------------------------------

// axe needs script, which is off here: it reads a copy of the page, of the same address and style,
// in a window where it is on.
async function checkAxe(page, where) {
  const context = await page.context().browser().newContext({
    ignoreHTTPSErrors: true, viewport: page.viewportSize(), clientCertificates: page.certificates,
  })
  const copy = await context.newPage()
  const body = await page.content()
  await copy.route(page.url(), (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body }))
  await copy.goto(page.url())
  const found = []
  for (const colorScheme of ['light', 'dark']) {
    await copy.emulateMedia({ colorScheme })
    await copy.evaluate(axe)
    const { violations } = await copy.evaluate((tags) =>
      globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] }), rules)
    for (const { id, help, nodes } of violations)
      found.push(`${colorScheme}: ${id}: ${help}: ${nodes.map((node) => node.html).join(' | ')}`)
  }
  await context.close()
  assert.deepEqual(found, [], `${where}: findings of axe`)
}

// What was sent, not what the browser made of it.
async function checkHtml(page, where) {
  const { results } = await validator.validateString(await page.answer.text())
  const found = results.flatMap(({ messages }) => messages)
    .map(({ ruleId, message, line }) => `line ${line}: ${ruleId}: ${message}`)
  assert.deepEqual(found, [], `${where}: not valid HTML`)
}

async function checkWidth(page, width, where) {
  const before = page.viewportSize()
  await page.setViewportSize({ width, height: 800 })
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  await page.setViewportSize(before)
  assert.equal(overflow, 0, `${where}: scrolls sideways at ${width} px`)
}

// Tab through the whole page: each stop is seen, and shows that it has the focus.
async function checkKeyboard(page, where) {
  const stops = await page.evaluate(() => {
    const all = 'a[href], button:not([disabled]):not([hidden]), input:not([type=hidden]), summary'
    const radios = new Set()
    return [...document.querySelectorAll(all)].filter((element) => {
      if (!element.checkVisibility()) return false
      if (element.type !== 'radio') return true
      return radios.has(element.name) ? false : radios.add(element.name)
    }).length
  })
  await page.evaluate(() => document.querySelector('.skip').focus()) // the first, with a test of its own
  for (let i = 1; i < stops; i++) {
    await page.keyboard.press('Tab')
    const at = await page.evaluate(() => {
      const element = document.activeElement
      const style = getComputedStyle(element)
      const box = element.getBoundingClientRect()
      return {
        what: element.outerHTML.slice(0, 80),
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.top < innerHeight && box.bottom > 0 && box.left >= 0,
      }
    })
    assert.ok(at.ring && at.seen, `${where}: stop ${i + 1} of ${stops} is not seen to have the focus: ${at.what}`)
  }
}

async function checkOutline(page, language, where) {
  const outline = await page.evaluate(() => ({
    lang: document.documentElement.lang,
    h1: document.querySelectorAll('h1').length,
    main: document.querySelectorAll('main').length,
    script: document.querySelectorAll('script:not(head > script[src^="/passkey.js?v="]), [style], style').length,
    title: document.title,
  }))
  assert.equal(outline.lang, language, `${where}: lang`)
  assert.equal(outline.h1, 1, `${where}: one h1`)
  assert.equal(outline.main, 1, `${where}: one main`)
  assert.equal(outline.script, 0, `${where}: no script but the passkeys’ and no inline style`)
  assert.ok(outline.title.length > 10, `${where}: a title`)
}

export async function checkPage(page, language, where) {
  await page.waitForLoadState()
  await checkOutline(page, language, where)
  await checkHtml(page, where)
  for (const width of [320, 640]) await checkWidth(page, width, where) // 640: 1280 at 200 % zoom
  await checkAxe(page, where)
  await checkKeyboard(page, where)
  assert.deepEqual(page.complaints.splice(0), [], `${where}: the browser complains`)
}
