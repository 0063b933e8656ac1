// Screenshots of every page, for people to look at: node screenshots.mjs DIR
import { join } from 'node:path'
import { base, hook, languages, openBrowser, openPage, openRequest, signIn, withdrawAll } from './support.mjs'

const folder = process.argv[2]
const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 320, height: 640 } }

async function shoot(page, name) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true })
    }
  }
}

const browser = await openBrowser()
for (const language of Object.keys(languages)) {
  const page = await openPage(browser, language)
  await page.goto(`${base}/sign-in`)
  await shoot(page, `${language}-1-sign-in`)
  await hook(page, 'login').click()
  await shoot(page, `${language}-2-sign-in-wrong`)
  await signIn(page)
  await withdrawAll(page)
  await openRequest(page)
  await shoot(page, `${language}-3-request`)
  const request = page.url()
  await page.goto(`${base}/`)
  await shoot(page, `${language}-4-home-asked`)
  await page.goto(request)
  await hook(page, 'consent-give').click()
  await shoot(page, `${language}-5-home-given`)
  await page.locator('article h3 a').first().click()
  await shoot(page, `${language}-6-service`)
  await hook(page, 'withdraw').first().click()
  await shoot(page, `${language}-7-withdraw`)
  await hook(page, 'withdraw-confirm').click()
  await page.locator('summary').click()
  await shoot(page, `${language}-8-home-over`)
  await page.goto(`${base}/nothing`)
  await shoot(page, `${language}-9-not-found`)
  await page.context().close()
}
await browser.close()
