// The real browser of the page tests: Debian's chromium, or CHROMIUM_PATH. Pages watch for what must never happen.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const args = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
  if (!existsSync(executablePath))
    throw new Error(
      `${executablePath} is missing: install it with "apt-get install chromium" (npm test does so where it may), or set CHROMIUM_PATH`
    )
  return chromium.launch({ executablePath, headless: true, args })
}

export interface WatchedPage {
  page: Page
  /** Console errors, uncaught errors, opened dialogs, policy violations, requests that left the origin. */
  wrongs: string[]
  close(): Promise<void>
}

/** expectedErrors: parts of console errors that belong to the test (a 401 that is asked for). */
export async function openPage(
  browser: Browser,
  origin: string,
  { expectedErrors = [], ...context }: BrowserContextOptions & { expectedErrors?: string[] } = {}
): Promise<WatchedPage> {
  const opened = await browser.newContext(context)
  // No test is about speed, and the machine may be busy.
  opened.setDefaultTimeout(110_000)
  const page = await opened.newPage()
  const wrongs: string[] = []
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!expectedErrors.some((part) => message.text().includes(part)))
      wrongs.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => wrongs.push(`uncaught: ${error.message}`))
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url())
    if (protocol !== 'blob:' && protocol !== 'data:' && asked !== origin)
      wrongs.push(`left the origin: ${request.url()}`)
  })
  await page.goto(origin)
  return { page, wrongs, close: () => opened.close() }
}
