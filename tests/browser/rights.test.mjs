// What the law gives to everybody: correct, ask to correct, restrict, report, and a receipt to print.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, hook, languages, openBrowser, openPage, openRequest, signIn, withdrawAll } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

for (const [language] of Object.entries(languages)) {
  test(`${language}: correct what is one’s own, ask for the rest`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await page.goto(`${base}/data`)
    await page.locator('form[action="/data/contact.email"] button').click()
    await checkPage(page, language, 'correcting a value')
    const mail = `nouvelle.${language}@exemple.example`
    await page.fill('#value', mail)
    await hook(page, 'field-edit').click()
    assert.ok((await page.locator('main').innerText()).includes(mail), 'the value as it is kept')
    await checkPage(page, language, 'my data, corrected')
    const theirs = { fr: 'identity.birth_date', en: 'identity.family_name' }[language]
    await page.locator(`a[href="/data/${theirs}"]`).click()
    await checkPage(page, language, 'asking for a correction')
    await page.locator(`form[action="/data/${theirs}/ask"] button`).click()
    await checkPage(page, language, 'my data, with what was asked')
    await page.context().close()
  })

  test(`${language}: restrict everything, and resume`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await page.goto(`${base}/data`)
    await page.locator('form[action="/restrict"] button').click()
    await page.goto(`${base}/`)
    await checkPage(page, language, 'home while everything is restricted')
    await hook(page, 'resume-all').click()
    assert.equal(await hook(page, 'resume-all').count(), 0)
    await page.context().close()
  })

  test(`${language}: a receipt to print, and a service reported`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await withdrawAll(page)
    await openRequest(page)
    await hook(page, 'consent-give').click()
    await page.locator('article h3 a').first().click()
    await page.locator('a[href$="/page"]').first().click()
    await checkPage(page, language, 'a receipt')
    await page.goBack()
    await hook(page, 'report').click()
    await checkPage(page, language, 'reporting a service')
    await hook(page, 'report').click()
    await checkPage(page, language, 'a report without words')
    await page.fill('#words', '<b>Rien</b> de tout cela. \u202eabc عربي 日本語')
    await hook(page, 'report').click()
    await checkPage(page, language, 'a report that was made')
    assert.equal(await page.locator('main b').count(), 0, 'words are text')
    await page.goto(`${base}/reports`)
    await checkPage(page, language, 'my reports')
    await withdrawAll(page)
    await page.context().close()
  })
}
