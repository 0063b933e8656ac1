// The auditors' pages: looking through the log, figures, state, and a look at openings, in both
// languages, without script and with a certificate.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { auditors, checkPage, languages, openAuditor, openBrowser, openPage } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const words = {
  fr: { register: 'Le registre', list: 'Les lignes', reason: 'Contrôle annuel, mission 2027-14', look: 'Un regard' },
  en: { register: 'The register', list: 'The lines', reason: 'Annual control, mission 2027-14', look: 'A look' },
}
const heading = (page) => page.locator('h1').innerText()

for (const language of Object.keys(languages)) {
  const own = words[language]

  test(`${language}: look through the log, by filter; figures and state`, async () => {
    const page = await openAuditor(browser, language)
    await page.goto(`${auditors}/`)
    assert.equal(await heading(page), own.register)
    await page.selectOption('#event', 'policy')
    await page.locator('form button').click()
    assert.ok(page.url().includes('event=policy'))
    assert.equal(await page.locator('li.card').count(), 1)
    await checkPage(page, language, 'a filter')
    await page.goto(`${auditors}/entries?from=2027-03-09&to=2027-03-01&service=No+id`)
    assert.equal(page.answer.status(), 400)
    await checkPage(page, language, 'a wrong filter')
    for (const path of ['/figures?event=release', '/state']) {
      await page.goto(`${auditors}${path}`)
      await checkPage(page, language, path)
    }
    await page.goto(`${auditors}/nothing`)
    assert.equal(page.answer.status(), 404)
    await page.context().close()
  })

  test(`${language}: a look is asked for, checked, done, and seen`, async () => {
    const page = await openAuditor(browser, language)
    await page.goto(`${auditors}/entries?event=release`)
    await page.locator('a[href^="/looks/new?entries="]').first().click()
    await checkPage(page, language, 'the form of a look')
    await page.locator('#entries').fill('5 4')
    await page.fill('#reason', own.reason)
    await page.locator('form button').click()
    assert.equal(page.answer.status(), 422)
    assert.equal(await page.inputValue('#reason'), own.reason)
    await checkPage(page, language, 'a wrong look')
    await page.goBack()
    await page.fill('#reason', own.reason)
    await page.locator('form button').click()
    assert.equal(page.answer.status(), 200)
    await checkPage(page, language, 'checking a look')
    await page.locator('form[action^="/looks"] button.main-action').first().click()
    assert.equal(await heading(page), own.look)
    assert.ok((await page.locator('blockquote').innerText()).includes(own.reason))
    assert.ok(await page.locator('.events .data, .events li').count() > 0)
    await checkPage(page, language, 'a look')
    await page.goto(`${auditors}/looks`)
    await checkPage(page, language, 'all looks')
    await page.context().close()
  })
}

test('the language is in the address, and no cookie is kept', async () => {
  const page = await openAuditor(browser, 'fr')
  await page.goto(`${auditors}/figures?of=service`)
  await page.locator('.languages a[lang=en]').click()
  assert.equal(await heading(page), 'Figures')
  assert.ok(page.url().includes('of=service') && page.url().includes('lang=en'))
  await page.locator('nav a').first().click()
  assert.equal(await heading(page), words.en.register)
  assert.deepEqual(await page.context().cookies(), [])
  await page.context().close()
})

test('without a certificate there is nothing', async () => {
  const page = await openPage(browser, 'fr', {}, auditors)
  await assert.rejects(page.goto(`${auditors}/`))
  await page.context().close()
})
