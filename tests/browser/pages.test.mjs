// The citizens' pages: every journey of this first form, in both languages, without script.
import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import jsQR from 'jsqr'
import { base, checkPage, hook, languages, openBrowser, openPage, openRequest, newCode, signIn, withdrawAll } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const heading = (page) => page.locator('h1').innerText()
const notice = (page) => page.locator('.notice').first().innerText()

for (const [language, words] of Object.entries(languages)) {
  test(`${language}: sign in, open a request by its code, give, see it, withdraw`, async () => {
    const page = await openPage(browser, language)
    await page.goto(`${base}/`)
    assert.equal(await heading(page), words.signIn)
    await checkPage(page, language, 'signing in')
    await signIn(page)
    assert.equal(await heading(page), words.home)
    await withdrawAll(page)
    await checkPage(page, language, 'home with nothing given')
    await openRequest(page)
    await checkPage(page, language, 'a request')
    const days = await page.locator('[name=period]').evaluateAll((radios) => radios.map((radio) => Number(radio.value)))
    assert.deepEqual(days, [...days].sort((a, b) => a - b), 'the shortest period first')
    assert.equal(await page.locator('[name=period]:checked').inputValue(), String(days[0]))
    await hook(page, 'consent-give').click()
    assert.equal(await heading(page), words.home)
    assert.ok((await notice(page)).includes(words.given))
    await checkPage(page, language, 'home with something given')
    await page.locator('article h3 a').first().click()
    await checkPage(page, language, 'one service')
    await page.goto(`${base}/`)
    await hook(page, 'withdraw').first().click()
    await checkPage(page, language, 'before withdrawing')
    await hook(page, 'withdraw-confirm').click()
    assert.ok((await notice(page)).includes(words.withdrawn))
    await page.locator('summary').click()
    await checkPage(page, language, 'home with something over')
    await hook(page, 'logout').click()
    assert.equal(await heading(page), words.signIn)
    await page.context().close()
  })

  test(`${language}: suspend, resume, pause everything, and object`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await withdrawAll(page)
    await openRequest(page)
    await hook(page, 'consent-give').click()
    await hook(page, 'suspend').first().click()
    await checkPage(page, language, 'a service that is suspended')
    await hook(page, 'resume').click()
    assert.equal(await hook(page, 'resume').count(), 0)
    await page.goto(`${base}/accesses`)
    await page.locator('summary').first().click()
    await page.locator('.events summary').first().click()
    await checkPage(page, language, 'my accesses')
    for (const own of ['about', 'accessibility', 'policies', 'policies/1', 'data', 'mandates', 'minors', 'reports', 'security', 'erase', 'again', 'mediator/sign-in']) {
      await page.goto(`${base}/${own}`)
      await checkPage(page, language, own)
    }
    await page.goto(`${base}/`)
    await hook(page, 'pause-all').click()
    await checkPage(page, language, 'home while everything is paused')
    await hook(page, 'resume-all').click()
    await page.locator('section[aria-labelledby=unasked] a').first().click()
    await checkPage(page, language, 'a use without consent')
    await hook(page, 'object').first().click()
    await checkPage(page, language, 'an objection')
    await page.locator('form[action="/object/end"] button').first().click()
    await hook(page, 'object').first().waitFor()
    await withdrawAll(page)
    await page.context().close()
  })

  test(`${language}: refusing takes as many steps as giving`, async () => {
    const page = await openPage(browser, language)
    await signIn(page)
    await openRequest(page)
    await hook(page, 'consent-refuse').click()
    assert.ok((await notice(page)).includes(words.refused))
    await page.context().close()
  })

  test(`${language}: a link opened while signed out comes back after signing in`, async () => {
    const page = await openPage(browser, language)
    await page.goto(`${base}/r/${newCode()}`)
    await page.fill('[name=login]', process.env.VAULT_LOGIN)
    await page.fill('[name=password]', process.env.VAULT_PASSWORD)
    await hook(page, 'login').click()
    assert.match(page.url(), /\/request\/[0-9A-Z]{26}$/)
    await hook(page, 'consent-refuse').click()
    await page.context().close()
  })

  test(`${language}: mistakes are said, and what was typed is kept but for the password`, async () => {
    const page = await openPage(browser, language)
    await page.goto(`${base}/sign-in`)
    await page.fill('[name=login]', 'nobody-of-that-name')
    await page.fill('[name=password]', 'wrong')
    await hook(page, 'login').click()
    assert.equal(await page.inputValue('[name=login]'), 'nobody-of-that-name')
    assert.equal(await page.inputValue('[name=password]'), '')
    await checkPage(page, language, 'a sign-in that failed')
    await page.locator('.summary a').click()
    assert.equal(await page.evaluate(() => document.activeElement.name), 'login')
    await signIn(page)
    await page.fill('[name=code]', '2222-2222')
    await hook(page, 'request-open').click()
    assert.ok((await page.locator('.summary').innerText()).includes(words.noCode))
    assert.equal(await page.inputValue('[name=code]'), '2222-2222')
    await checkPage(page, language, 'a wrong code')
    await page.context().close()
  })

  test(`${language}: an unknown page is a page`, async () => {
    const page = await openPage(browser, language)
    const response = await page.goto(`${base}/nothing`)
    assert.equal(response.status(), 404)
    await checkPage(page, language, 'an unknown page')
    await page.context().close()
  })
}

test('the switch changes the language and keeps the page', async () => {
  const page = await openPage(browser, 'fr')
  await signIn(page)
  await page.goto(`${base}/request`)
  await hook(page, 'lang-en').click()
  assert.equal(page.url(), `${base}/request`)
  assert.equal(await page.locator('html').getAttribute('lang'), 'en')
  await hook(page, 'lang-fr').click()
  assert.equal(await page.locator('html').getAttribute('lang'), 'fr')
  await page.context().close()
})

test('giving and refusing look alike, and neither is what the enter key does', async () => {
  const page = await openPage(browser, 'fr')
  await signIn(page)
  await openRequest(page)
  const look = (action) => hook(page, action).evaluate((button) => {
    const { width, height } = button.getBoundingClientRect()
    const { fontSize, fontWeight, color, backgroundColor, borderColor } = getComputedStyle(button)
    return { width, height, fontSize, fontWeight, color, backgroundColor, borderColor }
  })
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 })
    assert.deepEqual(await look('consent-give'), await look('consent-refuse'))
  }
  const { pathname } = new URL(page.url())
  await page.locator('[name=period]').first().focus()
  await page.keyboard.press('Enter')
  await page.waitForTimeout(300) // that nothing happens can only be waited for
  assert.equal(new URL(page.url()).pathname, pathname)
  await hook(page, 'consent-refuse').click()
  await page.context().close()
})

test('a consent is given by keyboard alone', async () => {
  const page = await openPage(browser, 'en')
  await page.goto(`${base}/sign-in`)
  const tabTo = async (selector) => {
    for (let i = 0; i < 40; i++) {
      if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return
      await page.keyboard.press('Tab')
    }
    assert.fail(`the tab key does not reach ${selector}`)
  }
  await tabTo('[name=login]')
  await page.keyboard.type(process.env.VAULT_LOGIN)
  await tabTo('[name=password]')
  await page.keyboard.type(process.env.VAULT_PASSWORD)
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  await tabTo('[name=code]')
  await page.keyboard.type(newCode().toLowerCase().replace('-', ' '))
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  await tabTo('[name=period]')
  await page.keyboard.press('ArrowDown')
  await tabTo('[data-action=consent-give]')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Space')])
  assert.ok((await notice(page)).includes(languages.en.given))
  await withdrawAll(page)
  await page.context().close()
})

test('the skip link leads past the top', async () => {
  const page = await openPage(browser, 'en')
  await page.goto(`${base}/sign-in`)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.name), 'login')
  await page.context().close()
})

test('a telephone reads the link from its picture', async () => {
  const { link, qr } = JSON.parse(execSync(process.env.VAULT_QR_COMMAND, { encoding: 'utf8' }))
  const page = await openPage(browser, 'fr', { javaScriptEnabled: true })
  const { pixels, side } = await page.evaluate(async (svg) => {
    const image = new Image()
    image.src = `data:image/svg+xml;base64,${btoa(svg)}`
    image.width = image.height = 400
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: 400, height: 400 })
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0, 400, 400)
    return { pixels: [...context.getImageData(0, 0, 400, 400).data], side: 400 }
  }, qr)
  assert.equal(jsQR(Uint8ClampedArray.from(pixels), side, side)?.data, link)
  await page.context().close()
})

test('on paper there is the content and no button', async () => {
  const page = await openPage(browser, 'fr')
  await signIn(page)
  await openRequest(page)
  await page.emulateMedia({ media: 'print' })
  assert.ok(await page.locator('.statement').isVisible())
  assert.ok(!(await hook(page, 'consent-give').isVisible()))
  assert.ok(!(await hook(page, 'logout').isVisible()))
  await page.emulateMedia({ media: null })
  await hook(page, 'consent-refuse').click()
  await page.context().close()
})

test('cookies are out of reach of script and of other sites', async () => {
  const page = await openPage(browser, 'fr')
  await signIn(page)
  const cookies = await page.context().cookies()
  assert.ok(cookies.some(({ name }) => name === '__Host-sid'))
  for (const cookie of cookies) {
    assert.ok(cookie.httpOnly && cookie.secure && cookie.path === '/', cookie.name)
    assert.equal(cookie.sameSite, 'Lax', cookie.name)
  }
  await page.context().close()
})

test('the page is the same with script on', async () => {
  const page = await openPage(browser, 'fr', { javaScriptEnabled: true })
  await signIn(page)
  await checkPage(page, 'fr', 'home with script on')
  await page.context().close()
})
