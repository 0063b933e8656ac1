// Being told by e-mail that something is new: the code arrives where letters do.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { base, checkPage, languages, newCitizen, openBrowser, openPage, signIn } from './support.mjs'

let browser
before(async () => { browser = await openBrowser() })
after(async () => { await browser?.close() })

const button = (page, path) => page.locator(`form[action="${path}"] button`)
const status = async (page) => page.answer.status()

// The text of the letter that came to an address.
async function letterTo(page, address) {
  const folder = process.env.VAULT_MAILBOX
  for (let i = 0; i < 200; i++) {
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.eml'))) {
      const to = join(folder, name.replace('.eml', '.to'))
      if (!existsSync(to) || !readFileSync(to, 'utf8').includes(`<${address}>`)) continue
      const [head, body] = readFileSync(join(folder, name), 'utf8').split('\r\n\r\n')
      return { head, text: Buffer.from(body, 'base64').toString() }
    }
    await page.waitForTimeout(50)
  }
  throw new Error(`no letter came to ${address}`)
}

for (const [language] of Object.entries(languages)) {
  test(`${language}: an address, its code, how often, and the end`, async () => {
    const me = newCitizen()
    const address = `${me.login}@exemple.example`
    const page = await openPage(browser, language)
    await signIn(page, me.login, me.password)
    await page.goto(`${base}/security`)
    await page.locator('a[href="/messages"]').click()
    await checkPage(page, language, 'no messages')
    await page.fill('#address', 'nobody')
    await button(page, '/messages').click()
    assert.equal(await status(page), 422)
    await checkPage(page, language, 'an address that is none')
    await page.fill('#address', address)
    await page.locator('[name=every][value=day]').check()
    await button(page, '/messages').click()
    await checkPage(page, language, 'a code is awaited')
    const { head, text } = await letterTo(page, address)
    assert.ok(!/plie|emploi/i.test(head + text), 'nothing of anybody in the letter')
    await page.fill('#code', '2222-2222')
    await button(page, '/messages/code').click()
    assert.equal(await status(page), 422)
    await checkPage(page, language, 'a wrong code')
    await page.fill('#code', text.match(/[A-Z0-9]{4}-[A-Z0-9]{4}/)[0].toLowerCase())
    await button(page, '/messages/code').click()
    assert.ok((await page.locator('main').innerText()).includes(address), 'where messages go')
    await checkPage(page, language, 'messages are on')
    await page.locator('[name=every][value=week]').check()
    await button(page, '/messages').click()
    assert.ok(await page.locator('[name=every][value=week]').isChecked(), 'how often')
    await button(page, '/messages/stop').click()
    assert.ok(!(await page.content()).includes(address), 'the address is gone')
    await page.context().close()
  })

  test(`${language}: what a message leads to, for whoever has it`, async () => {
    const page = await openPage(browser, language)
    await page.goto(`${base}/messages/end/${'A'.repeat(22)}`)
    await checkPage(page, language, 'stopping messages')
    await page.locator('main button').click()
    await checkPage(page, language, 'messages are stopped')
    await page.context().close()
  })
}
