// What is not the rule: a service suspended, a code mistyped, a session that ended,
// and a receipt that is or is not real.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, ctl, hook, languages, newCitizen, openBrowser, openPage, openRequest, openWithAuthenticator, pass, signIn, withdrawAll } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const service = 'plie-rennes'
const enter = (page, { login, password }) => signIn(page, login, password)
const main = (page) => page.locator('main').innerText()

for (const [language] of Object.entries(languages)) {
  test(`${language}: a service that is suspended`, async () => {
    const page = await openPage(browser, language)
    await enter(page, newCitizen())
    await openRequest(page)
    await hook(page, 'consent-give').click()
    await openRequest(page)
    const request = page.url()
    ctl('service', 'suspend', service)
    try {
      await page.goto(request)
      assert.equal(await hook(page, 'consent-give').count(), 0, 'it cannot be given anything')
      assert.ok(await hook(page, 'consent-refuse').isVisible(), 'it can be refused')
      await checkPage(page, language, 'a request of a suspended service')
      for (const path of ['', `services/${service}`]) {
        await page.goto(`${base}/${path}`)
        await checkPage(page, language, `/${path} with a suspended service`)
      }
    } finally {
      ctl('service', 'resume', service)
    }
    await page.goto(request)
    await hook(page, 'consent-refuse').click()
    await page.context().close()
  })

  test(`${language}: a code mistyped until it has to wait`, async () => {
    const page = await openPage(browser, language)
    await enter(page, newCitizen())
    await page.goto(`${base}/request`)
    let status = 0
    for (let i = 0; i < 30 && status !== 429; i++) { // ten at once, and one more with every six seconds that pass
      await page.fill('[name=code]', '2222-2222')
      const answered = page.waitForResponse((response) => response.request().method() === 'POST')
      await hook(page, 'request-open').click()
      status = (await answered).status()
      if (i === 2) await checkPage(page, language, 'a code mistyped three times')
    }
    assert.equal(status, 429)
    await checkPage(page, language, 'a code mistyped too often')
    await page.context().close()
  })

  test(`${language}: what was written when the session ended is not lost`, async () => {
    const page = await openPage(browser, language)
    const words = `Première ligne,\net la seconde (${language}).`
    const me = newCitizen()
    await enter(page, me)
    await openRequest(page)
    await hook(page, 'consent-give').click()
    await page.goto(`${base}/report?service=${service}`)
    await page.fill('#words', words)
    await page.context().clearCookies({ name: '__Host-sid' })
    await hook(page, 'report').click()
    await checkPage(page, language, 'a session that ended while writing')
    await page.fill('[name=login]', me.login)
    await page.fill('[name=password]', me.password)
    await hook(page, 'login').click()
    await checkPage(page, language, 'what was written')
    assert.equal((await page.locator('main pre').innerText()).replaceAll('\r', ''), words)
    await page.locator('form[action="/report"] button').click()
    assert.equal((await page.locator('main pre').first().innerText()).replaceAll('\r', ''), words)
    await page.context().close()
  })

  test(`${language}: a page that stands open leaves the screen`, async () => {
    const page = await openPage(browser, language)
    await enter(page, newCitizen())
    await openRequest(page)
    await hook(page, 'consent-give').click()
    await page.goto(`${base}/report?service=${service}`)
    await page.fill('#words', `Pas fini (${language}).`)
    await page.locator('.leaves button').dispatchEvent('click') // which is not to be seen yet
    await page.waitForLoadState()
    assert.equal(await page.inputValue('#words'), `Pas fini (${language}).`)
    assert.equal(await page.locator('.leaves').isVisible(), false)
    await pass(page, 790)
    assert.ok(await page.locator('.leaves').isVisible(), 'it warns')
    await checkPage(page, language, 'a page that is about to leave the screen')
    const gone = page.waitForURL(`${base}/left`, { waitUntil: 'commit' })
    await pass(page, 910)
    await gone
    const next = await openPage(browser, language) // in which time is as it is
    await next.goto(page.url())
    await checkPage(next, language, 'where a page went that stood open')
    await next.context().close()
    await page.context().close()
  })

  test(`${language}: what stops the browser from going does not keep the page on the screen`, async () => {
    const page = await openPage(browser, language)
    await enter(page, newCitizen())
    await page.goto(`${base}/data`)
    const download = page.waitForEvent('download') // Chromium goes nowhere by itself after one
    await page.locator('form[action="/export"] button').click()
    await (await download).delete()
    await pass(page, 910)
    assert.equal(await page.locator('main').isVisible(), false)
    assert.ok(await page.locator('.leaves a').isVisible())
    await page.context().close()
  })

  test(`${language}: a consent for one use, its letter and its receipt`, async () => {
    const page = await openPage(browser, language)
    await enter(page, newCitizen())
    await openRequest(page, { uses: 1 })
    await checkPage(page, language, 'a request for one use')
    await hook(page, 'consent-give').click()
    await page.locator('article h3 a').first().click()
    await page.locator('form[action$="/letter"] button').click()
    await checkPage(page, language, 'a letter')
    await page.goBack()
    const receipt = await page.locator('a[href^="/receipts/"]').first().getAttribute('href')
    const file = await (await page.context().request.get(base + receipt)).body()
    await withdrawAll(page)
    await hook(page, 'logout').click()
    await page.goto(`${base}/check`)
    await checkPage(page, language, 'checking a receipt')
    await page.setInputFiles('#file', { name: 'receipt-1.json', mimeType: 'application/json', buffer: file })
    await page.locator('form[action="/check"] button').click()
    await checkPage(page, language, 'a receipt that is real')
    assert.ok((await main(page)).includes('Plan local'))
    await page.goto(`${base}/check`)
    const changed = Buffer.from(file.toString().replace('event consent', 'event refuse'))
    assert.notDeepEqual(changed, file)
    await page.setInputFiles('#file', { name: 'receipt-1.json', mimeType: 'application/json', buffer: changed })
    await page.locator('form[action="/check"] button').click()
    await checkPage(page, language, 'a receipt that was changed')
    assert.ok(await page.locator('#file-error').isVisible())
    await page.context().close()
  })
}

test('a passkey brings back what was written, too', async () => {
  const { page } = await openWithAuthenticator(browser, 'fr')
  await enter(page, newCitizen())
  await openRequest(page)
  await hook(page, 'consent-give').click()
  await page.goto(`${base}/security`)
  await page.fill('#label', 'Pour ce test')
  await Promise.all([page.waitForNavigation(), hook(page, 'passkey-add').click()])
  await page.goto(`${base}/report?service=${service}`)
  await page.fill('#words', 'Écrit avant la fin.')
  await page.context().clearCookies({ name: '__Host-sid' })
  await hook(page, 'report').click()
  await hook(page, 'passkey-login').click()
  await page.locator('form[action="/report"]').waitFor()
  assert.equal(await page.locator('main pre').innerText(), 'Écrit avant la fin.')
  await page.context().close()
})
