// Words that others wrote: of every script, very long, and hostile. All of it is shown as text, in
// every place that a citizen, a service, a mediator or an operator can write into.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, ctl, hook, newCitizen, newCode, openBrowser, openPage, openRequest, openWithAuthenticator, putService, signIn } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const service = 'plie-rennes'
const enter = (page, { login, password }) => signIn(page, login, password)
const hostile = '"\'><img src=x onerror=alert(1)><script>alert(2)</script></title></textarea>{{t home.title}}&lt;b&gt;'
const scripts = 'Zoë Łącka-Dvořáková · Ольга · Σοφία · 王小明 · たなか · 김민준 · สมชาย · नेहा · ⵜⵉⵏⵀⵉⵏⴰⵏ · 👩‍👩‍👧'
const rightToLeft = 'ليلى بنت عبد الله \u202eגברת לוי'

// With script on, so that what must not run would.
async function openWary() {
  const page = await openPage(browser, 'fr', { javaScriptEnabled: true })
  page.on('dialog', (dialog) => { page.complaints.push(`a dialog: ${dialog.message()}`); dialog.dismiss() })
  return page
}

async function checkInert(page, where) {
  await page.waitForLoadState()
  const found = await page.evaluate(() => [
    ...document.querySelectorAll('img, iframe, object, script:not([src^="/passkey.js"]), [onerror], [onload]'),
  ].map((element) => element.outerHTML.slice(0, 120)))
  assert.deepEqual(found, [], `${where}: something that is no text`)
  assert.ok(!(await page.content()).includes('&amp;amp;'), `${where}: escaped twice`)
  assert.deepEqual(page.complaints.splice(0), [], `${where}: the browser complains`)
}

const shows = async (page, text, where) =>
  assert.ok((await page.locator('body').innerText()).includes(text), `${where} shows it as it was written`)

test('what is in an address or a form comes back as text, if at all', async () => {
  const page = await openWary()
  const word = encodeURIComponent(hostile)
  for (const path of [`sign-in?next=${word}`, `${word}`, `activate?code=${word}`, `check?x=${word}`]) {
    await page.goto(`${base}/${path}`)
    await checkInert(page, path)
  }
  await page.goto(`${base}/sign-in`)
  await page.fill('[name=login]', hostile)
  await page.fill('[name=password]', hostile)
  await hook(page, 'login').click()
  assert.equal(await page.inputValue('[name=login]'), hostile)
  await checkInert(page, 'a login')
  await enter(page, newCitizen())
  const paths = [`accesses?service=${word}&kind=${word}&before=${word}`, `report?service=${word}`, `services/${word}`,
    `withdraw?service=${word}&purpose=${word}`, `receipts/${word}`, `request/${word}`, `r/${word}`, `data/${word}`,
    `again?next=${word}`, `mandates?x=${word}`, `minors/${word}`]
  for (const path of paths) {
    await page.goto(`${base}/${path}`)
    await checkInert(page, path)
  }
  await page.goto(`${base}/request`)
  await page.fill('[name=code]', hostile.slice(0, 40))
  await hook(page, 'request-open').click()
  await checkInert(page, 'a code')
  await page.context().close()
})

test('what a service or the operator writes is text', async () => {
  const me = newCitizen()
  const registration = { name: hostile.slice(0, 190), contact: hostile.slice(0, 190) }
  const undo = putService(service, registration)
  try {
    const page = await openWary()
    await enter(page, me)
    await openRequest(page, { message: { fr: hostile, en: hostile }, reference: 'essai-1' })
    await checkInert(page, 'a request')
    await shows(page, registration.name, 'a request')
    await shows(page, hostile, 'a request')
    await hook(page, 'consent-give').click()
    for (const path of ['', `services/${service}`, 'accesses', `services/${service}/letter`, `report?service=${service}`, 'mandates']) {
      await page.goto(`${base}/${path}`)
      await checkInert(page, `/${path}`)
      if (path !== 'mandates') await shows(page, registration.name, `/${path}`)
    }
    await page.goto(`${base}/services/${service}`)
    await page.locator('a[href$="/page"]').first().click()
    await checkInert(page, 'a receipt')
    await shows(page, registration.name, 'a receipt')
    await page.context().close()
  } finally {
    undo()
  }
})

test('what a citizen writes is text', async () => {
  const { page } = await openWithAuthenticator(browser, 'fr')
  page.on('dialog', (dialog) => { page.complaints.push(`a dialog: ${dialog.message()}`); dialog.dismiss() })
  const label = hostile.slice(0, 40)
  await enter(page, newCitizen({ 'contact.email': { value: 'avant@exemple.example', source: 'citizen' }, 'identity.given_name': { value: hostile } }))
  await openRequest(page)
  await hook(page, 'consent-give').click()
  await page.goto(`${base}/data`)
  await checkInert(page, 'a value')
  await shows(page, hostile, 'a value')
  await page.locator('form[action="/data/contact.email"] button').click()
  await page.fill('#value', hostile)
  await hook(page, 'field-edit').click()
  await checkInert(page, 'a value that was corrected')
  await page.goto(`${base}/report?service=${service}`)
  await page.fill('#words', hostile)
  await hook(page, 'report').click()
  await checkInert(page, 'a report')
  await shows(page, hostile, 'a report')
  await page.goto(`${base}/messages`)
  await page.fill('#address', hostile)
  await page.locator('form[action="/messages"] button').click()
  assert.equal(await page.inputValue('#address'), hostile, 'what was typed')
  await checkInert(page, 'an address')
  await page.goto(`${base}/mandates`)
  await page.selectOption('[name=structure]', process.env.VAULT_STRUCTURE)
  await page.check('[value="employment.support"]')
  await page.locator('[name=period]').first().check()
  await page.fill('[name=label]', label)
  await hook(page, 'mandate-give').click()
  await checkInert(page, 'a mandate')
  await page.goto(`${base}/security`)
  await page.fill('#label', label)
  await Promise.all([page.waitForNavigation(), hook(page, 'passkey-add').click()])
  await page.goto(`${base}/security`)
  await checkInert(page, 'a passkey')
  assert.ok((await page.locator('[name=label]').evaluateAll((inputs) => inputs.map(({ value }) => value))).includes(label))
  await page.context().close()
})

for (const language of ['fr', 'en']) {
  test(`${language}: ten thousand characters, and names of every script`, async () => {
    const page = await openPage(browser, language)
    const long = 'Mosaïque '.repeat(600) + 'n'.repeat(4600)
    assert.equal(long.length, 10_000)
    await enter(page, newCitizen({
      'identity.given_name': { value: scripts }, 'identity.family_name': { value: rightToLeft }, 'employment.skills': { value: long },
    }))
    await page.goto(`${base}/data`)
    await checkPage(page, language, 'my data, long')
    await shows(page, scripts, 'my data')
    await shows(page, long.slice(-5000), 'my data')
    const direction = await page.locator('dd', { hasText: 'ليلى' }).evaluate((element) => getComputedStyle(element).direction)
    assert.equal(direction, 'rtl', 'a name is written from where its script begins')
    await openRequest(page, { fields: { 'employment.skills': null, 'identity.birth_date': 'year' }, message: { fr: 'é'.repeat(500), en: rightToLeft.replace('\u202e', '') } })
    await checkPage(page, language, 'a request with long values')
    await hook(page, 'consent-give').click()
    await page.locator('article h3 a').first().click()
    await checkPage(page, language, 'a service that would see long values')
    await page.context().close()
  })
}
