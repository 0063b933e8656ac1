// A child and their guardian: each sees what the other does, and that two must agree.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, hook, languages, newCode, openBrowser, openPage, openRequest, signIn } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

for (const [language] of Object.entries(languages)) {
  test(`${language}: what is asked of a child is seen by both, and either refuses`, async () => {
    const minor = await openPage(browser, language)
    await signIn(minor, process.env.VAULT_MINOR_LOGIN, process.env.VAULT_MINOR_PASSWORD)
    await checkPage(minor, language, 'a child’s home')
    await openRequest(minor)
    await checkPage(minor, language, 'a request, for a child')
    const guardian = await openPage(browser, language)
    await signIn(guardian, process.env.VAULT_GUARDIAN_LOGIN, process.env.VAULT_GUARDIAN_PASSWORD)
    await guardian.goto(`${base}/minors`)
    await checkPage(guardian, language, 'my minors')
    await guardian.getByRole('link', { name: 'Lou Exemple' }).click()
    await checkPage(guardian, language, 'one of my minors')
    await guardian.locator('a[href*="/request?"]').first().click()
    await checkPage(guardian, language, 'a request, for a guardian')
    await hook(guardian, 'consent-refuse').click()
    await checkPage(guardian, language, 'one of my minors, refused')
    await guardian.fill('[name=code]', newCode())
    await hook(guardian, 'request-open').click()
    await hook(guardian, 'consent-refuse').click()
    await minor.goto(`${base}/accesses`)
    assert.ok((await minor.locator('main').innerText()).includes('guardian') || language === 'fr')
    await checkPage(minor, language, 'a child’s accesses')
    await minor.context().close()
    await guardian.context().close()
  })
}
