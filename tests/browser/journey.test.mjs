// The whole way of somebody new: the city's letter, a passkey, a request by its code, the consent, its
// receipt, the service reads, the page of accesses shows it, and two clicks end it.
import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { base, checkPage, hook, newCode, openBrowser, openPage, openWithAuthenticator } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const read = () => JSON.parse(execSync(process.env.VAULT_READ_COMMAND, { encoding: 'utf8' }))

// The letter as it would be printed; what is in it is typed.
async function readLetter() {
  const page = await openPage(browser, 'fr')
  await page.setContent(execSync(process.env.VAULT_LETTER_COMMAND, { encoding: 'utf8' }))
  const address = await page.locator('strong').innerText()
  const [, code] = await page.locator('section').first().locator('dd').allInnerTexts()
  await page.context().close()
  return { address, code }
}

test('from the letter to the withdrawal', async () => {
  const { address, code } = await readLetter()
  const { page } = await openWithAuthenticator(browser, 'fr')
  await page.goto(address)
  await checkPage(page, 'fr', 'activation')
  await page.fill('[name=activation]', code)
  await page.fill('[name=new_password]', 'une phrase de quatre mots')
  await page.locator('form[action="/activate"] button').click()
  await page.fill('#label', 'Mon appareil')
  await Promise.all([page.waitForNavigation(), hook(page, 'passkey-add').click()])
  await hook(page, 'logout').click()
  await Promise.all([page.waitForURL(`${base}/`), hook(page, 'passkey-login').click()])

  const before = Object.keys(read())
  await page.fill('[name=code]', newCode())
  await hook(page, 'request-open').click()
  await checkPage(page, 'fr', 'the request')
  await hook(page, 'consent-give').click()
  await page.locator('article h3 a').first().click()
  const receipt = await page.locator('a[href^="/receipts/"]').first().getAttribute('href')
  assert.ok((await page.context().request.get(base + receipt)).ok(), 'there is a receipt')
  assert.ok(Object.keys(read()).length > before.length, 'the consent let something out')
  await page.goto(`${base}/accesses`)
  assert.ok((await page.locator('main').innerText()).includes('Plan local'), 'the access is seen')
  await page.goto(`${base}/`)
  await hook(page, 'withdraw').first().click()
  await hook(page, 'withdraw-confirm').click()
  assert.deepEqual(Object.keys(read()), before, 'two clicks end it')
  await page.context().close()
})
