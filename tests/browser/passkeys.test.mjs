// Passkeys with Chromium's own virtual authenticator: making one, signing in without a name, showing
// that it is still oneself, renaming and removing; and that nothing is missing where script is off.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, checkPage, hook, languages, openBrowser, openPage, openWithAuthenticator, signIn } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const heading = (page) => page.locator('h1').innerText()

async function addPasskey(page, name) {
  await page.goto(`${base}/security`)
  await page.fill('#label', name)
  await Promise.all([page.waitForNavigation(), hook(page, 'passkey-add').click()])
  await page.locator('h3', { hasText: name }).waitFor()
}

async function removePasskeys(page) {
  await page.goto(`${base}/security`)
  const remove = page.locator('form[action="/security/passkeys/remove"] button')
  while (await remove.count()) await remove.first().click()
}

for (const [language, words] of Object.entries(languages)) {
  test(`${language}: add a passkey, sign in without a name, show that it is still you, rename, remove`, async () => {
    const { page } = await openWithAuthenticator(browser, language)
    await signIn(page)
    await page.locator('a[href="/security"]').click() // at most one link from home
    await hook(page, 'passkey-add').waitFor()
    await removePasskeys(page)
    await addPasskey(page, 'Un & <deux>')
    await checkPage(page, language, 'my security with a passkey')
    await hook(page, 'logout').click()
    await checkPage(page, language, 'signing in with script on')
    await Promise.all([page.waitForURL(`${base}/`), hook(page, 'passkey-login').click()])
    assert.equal(await heading(page), words.home)
    await page.goto(`${base}/again?next=%2Fdata`)
    await checkPage(page, language, 'again with a passkey')
    await Promise.all([page.waitForURL(`${base}/data`), page.locator('form[data-passkey=again] button').click()])
    await page.goto(`${base}/security`)
    await page.locator('summary').first().click()
    await page.fill('#label-1', 'Autre')
    await page.locator('form[action="/security/passkeys/rename"] button').click()
    await page.locator('h3', { hasText: 'Autre' }).waitFor()
    await removePasskeys(page)
    assert.equal(await page.locator('h3').count(), 0)
    await hook(page, 'logout').click()
    await hook(page, 'passkey-login').click()
    await page.locator('[data-problem=refused]:visible').waitFor()
    await checkPage(page, language, 'a passkey that is refused')
    assert.equal(await heading(page), words.signIn)
    await page.context().close()
  })
}

test('the same device is not added twice', async () => {
  const { page } = await openWithAuthenticator(browser, 'fr')
  await signIn(page)
  await removePasskeys(page)
  await addPasskey(page, 'Une')
  await hook(page, 'passkey-add').click()
  await page.locator('[data-problem=known]:visible').waitFor()
  await removePasskeys(page)
  await page.context().close()
})

test('an authenticator that does not know its person signs nobody in', async () => {
  const { page, session, authenticatorId } = await openWithAuthenticator(browser, 'en')
  await signIn(page)
  await removePasskeys(page)
  await addPasskey(page, 'One')
  await hook(page, 'logout').click()
  await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
  await hook(page, 'passkey-login').click()
  await page.locator('[data-problem=cancelled]:visible').waitFor()
  await checkPage(page, 'en', 'a passkey that is cancelled')
  await signIn(page)
  await removePasskeys(page)
  await page.context().close()
})

test('without script there is no button that does nothing, and all else works', async () => {
  const page = await openPage(browser, 'fr')
  await page.goto(`${base}/sign-in`)
  assert.equal(await hook(page, 'passkey-login').isVisible(), false)
  await signIn(page)
  await page.goto(`${base}/security`)
  assert.equal(await hook(page, 'passkey-add').isVisible(), false)
  assert.ok(await page.locator('noscript').isVisible())
  await checkPage(page, 'fr', 'my security without script')
  await page.context().close()
})

for (const [language] of Object.entries(languages)) {
  test(`${language}: recovery codes are shown once, and one signs in; activation has a page`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await page.goto(`${base}/security`)
    await page.locator('form[action="/security/recovery"] button').click()
    assert.equal(await page.locator('code').count(), 10)
    await checkPage(page, language, 'recovery codes')
    const code = await page.locator('code').first().innerText()
    await page.goto(`${base}/security`)
    await checkPage(page, language, 'my security with recovery codes')
    await hook(page, 'logout').click()
    await page.fill('[name=login]', process.env.VAULT_LOGIN)
    await page.fill('[name=password]', code.toLowerCase())
    await hook(page, 'login').click()
    assert.equal(await heading(page), languages[language].home)
    await hook(page, 'logout').click()
    await page.locator('a[href="/activate"]').click()
    await checkPage(page, language, 'activating')
    await page.fill('[name=activation]', '2222-2222-2222-2222-2222')
    await page.fill('[name=new_password]', 'motdepasse123')
    await page.locator('main button').click()
    await checkPage(page, language, 'a password that would be guessed')
    assert.ok(await page.locator('#new-error').isVisible())
    assert.doesNotMatch(await page.content(), /motdepasse123/)
    await page.fill('[name=new_password]', 'une phrase assez longue')
    await page.locator('main button').click()
    await checkPage(page, language, 'an activation that failed')
    assert.equal(await page.inputValue('[name=activation]'), '2222-2222-2222-2222-2222')
    await page.context().close()
  })
}

for (const [language] of Object.entries(languages)) {
  test(`${language}: one session is ended by itself`, async () => {
    const other = await openPage(browser, language)
    await signIn(other)
    const page = await openPage(browser, language)
    await signIn(page)
    await page.goto(`${base}/security`)
    const end = page.locator('form[action="/security/session"] button')
    const before = await end.count()
    assert.ok(before > 0)
    await checkPage(page, language, 'my security with another session')
    await end.first().click() // the one seen last: the other browser's
    assert.equal(await end.count(), before - 1)
    await checkPage(page, language, 'my security after a session was ended')
    await other.goto(`${base}/data`)
    assert.equal(new URL(other.url()).pathname, '/sign-in')
    await other.context().close()
    await page.context().close()
  })
}

test('only pages with a passkey to use may run a script, and only ours', async () => {
  const page = await openPage(browser, 'fr')
  const policy = async (path) => (await page.goto(`${base}${path}`)).headers()['content-security-policy']
  for (const path of ['/sign-in']) assert.match(await policy(path), /script-src 'self'; connect-src 'self'/)
  await signIn(page)
  for (const path of ['/security', '/again']) assert.match(await policy(path), /script-src 'self'; connect-src 'self'/)
  for (const path of ['/', '/data', '/accesses', '/nothing']) assert.doesNotMatch(await policy(path), /script|connect/)
  await page.context().close()
})
