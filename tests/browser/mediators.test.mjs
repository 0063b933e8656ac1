// A mandate from its beginning to its end: the citizen gives it, a mediator acts, the citizen sees it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, ctl, hook, languages, newCode, openBrowser, openPage, signIn, withdrawAll } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const label = 'Rendez-vous du lundi'

async function giveMandate(page, language) {
  await page.goto(`${base}/mandates`)
  await hook(page, 'mandate-give').click()
  await checkPage(page, language, 'a mandate for nothing')
  await page.selectOption('[name=structure]', process.env.VAULT_STRUCTURE)
  await page.check('[value="employment.support"]')
  await page.locator('[name=period]').first().check()
  await page.check('[name=values]')
  await page.fill('[name=label]', label)
  await hook(page, 'mandate-give').click()
  await checkPage(page, language, 'my mandates, with one')
}

async function enter(page, language) {
  await page.goto(`${base}/mediator`)
  await checkPage(page, language, 'where mediators sign in')
  await page.fill('[name=login]', process.env.VAULT_MEDIATOR_LOGIN)
  await page.fill('[name=password]', process.env.VAULT_MEDIATOR_PASSWORD)
  await hook(page, 'login').click()
  await checkPage(page, language, 'a mediator’s home')
}

async function openAsMediator(page) {
  await page.fill('[name=code]', newCode())
  await hook(page, 'request-open').click()
}

for (const [language] of Object.entries(languages)) {
  test(`${language}: a mandate is given, used and ended, and the citizen sees who did what`, async () => {
    const citizen = await openPage(browser, language)
    await signIn(citizen)
    await withdrawAll(citizen)
    await giveMandate(citizen, language)
    const mediator = await openPage(browser, language)
    await enter(mediator, language)
    await mediator.getByRole('link', { name: label }).click()
    await checkPage(mediator, language, 'a mandate, for its mediator')
    await mediator.fill('[name=code]', 'ZZZZ-ZZZZ')
    await hook(mediator, 'request-open').click()
    await checkPage(mediator, language, 'a code that is none')
    await openAsMediator(mediator)
    await checkPage(mediator, language, 'a request, for a mediator')
    await mediator.locator('form[action$="/values"] button').click()
    await checkPage(mediator, language, 'the values, for a mediator')
    await hook(mediator, 'consent-give').click()
    await checkPage(mediator, language, 'a mandate with a consent')
    await hook(mediator, 'suspend').click()
    await hook(mediator, 'resume').click()
    await hook(mediator, 'withdraw-confirm').click()
    assert.equal(await hook(mediator, 'withdraw-confirm').count(), 0)
    await citizen.goto(`${base}/accesses`)
    assert.ok((await citizen.locator('main').innerText()).includes('Camille Exemple'), 'who acted is named')
    await citizen.goto(`${base}/mandates`)
    await hook(citizen, 'mandate-end').first().click()
    await checkPage(citizen, language, 'my mandates, with one that ended')
    await mediator.goto(`${base}/mediator`)
    assert.equal(await mediator.getByRole('link', { name: label }).count(), 0, 'its end acts at once')
    await citizen.locator('form[action="/mandates/codes"] button').click()
    await checkPage(citizen, language, 'codes to print')
    await hook(mediator, 'logout').click()
    await citizen.context().close()
    await mediator.context().close()
  })
}

for (const [language] of Object.entries(languages)) {
  test(`${language}: a mediator sets a password of their own before anything opens`, async () => {
    const login = `nouveau-${language}-${Date.now()}`
    const { first_password: first } = JSON.parse(ctl('--json', 'mediator', 'add', process.env.VAULT_STRUCTURE, login, 'Nour Exemple'))
    const page = await openPage(browser, language)
    await page.goto(`${base}/mediator`)
    await page.fill('[name=login]', login)
    await page.fill('[name=password]', first.toLowerCase())
    await hook(page, 'login').click()
    assert.equal(new URL(page.url()).pathname, '/mediator/password')
    await checkPage(page, language, 'a mediator’s first password')
    await page.goto(`${base}/mediator`)
    assert.equal(new URL(page.url()).pathname, '/mediator/password')
    await page.fill('[name=password]', first)
    await page.fill('[name=new_password]', 'motdepasse123')
    await page.locator('form[action="/mediator/password"] button').click()
    await checkPage(page, language, 'a mediator’s password that would be guessed')
    await page.fill('[name=password]', first)
    await page.fill('[name=new_password]', 'quatre verbes sans rapport')
    await page.locator('form[action="/mediator/password"] button').click()
    assert.equal(new URL(page.url()).pathname, '/mediator')
    await checkPage(page, language, 'a mediator’s home after their password')
    await hook(page, 'logout').click()
    ctl('mediator', 'remove', login)
    await page.context().close()
  })
}
