// Screenshots of the main pages, for people to look at: node screenshots.mjs DIR
import { join } from 'node:path'
import { base, hook, languages, newCitizen, openBrowser, openPage, openRequest, signIn } from './support.mjs'

const folder = process.argv[2]
const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 320, height: 640 } }

// Pages that are there for whoever is signed in, and need no more than being opened.
const own = ['accesses', 'data', 'data/contact.email', 'mandates', 'minors', 'security', 'messages', 'report?service=plie-rennes', 'erase']
const everybodys = ['about', 'accessibility', 'check', 'activate', 'mediator/sign-in']

async function shoot(page, name) {
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true })
    }
  }
}

async function shootEach(page, language, paths) {
  for (const path of paths) {
    await page.goto(`${base}/${path}`)
    await shoot(page, `${language}-${path.replaceAll(/[^a-z]+/g, '-')}`)
  }
}

const browser = await openBrowser()
for (const language of Object.keys(languages)) {
  const page = await openPage(browser, language)
  const me = newCitizen({ 'contact.email': { value: 'nouvelle@exemple.example', source: 'citizen' } })
  await page.goto(`${base}/sign-in`)
  await shoot(page, `${language}-1-sign-in`)
  await hook(page, 'login').click()
  await shoot(page, `${language}-2-sign-in-wrong`)
  await shootEach(page, language, everybodys)
  await signIn(page, me.login, me.password)
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
  await page.locator('a[href$="/page"]').first().click()
  await shoot(page, `${language}-receipt`)
  await page.goto(`${base}/`)
  await hook(page, 'withdraw').first().click()
  await shoot(page, `${language}-7-withdraw`)
  await hook(page, 'withdraw-confirm').click()
  await page.locator('summary').click()
  await shoot(page, `${language}-8-home-over`)
  await shootEach(page, language, own)
  await page.goto(`${base}/nothing`)
  await shoot(page, `${language}-9-not-found`)
  await page.context().close()
}
await browser.close()
