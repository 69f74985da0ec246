// One system with a gallery of six shapes, and one browser, for the whole of a test file.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import { launchChromium, openPage, type WatchedPage } from './chromium.ts'
import { namedPicture } from './pictures.ts'
import { startTarget, type Target } from './target.ts'

/** Of the first shape. */
export const htmlLabel = '<img src=x onerror=alert(1)>'
export const collection = 'shapes'

/** `holdOnPrefix`: pictures that wait at a gate. What a test opens is looked at and closed after it. */
export function startPages({ holdOnPrefix = {} }: { holdOnPrefix?: Record<string, string> } = {}) {
  let browser: Browser
  let target: Target
  let opened: WatchedPage[] = []
  const request = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(target.url + path, init)

  async function send(method: string, path: string, body: FormData | object): Promise<unknown> {
    const isForm = body instanceof FormData
    const response = await request(path, {
      method,
      body: isForm ? body : JSON.stringify(body),
      headers: isForm ? {} : { 'content-type': 'application/json' }
    })
    if (!response.ok)
      throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }

  async function waitForJobs() {
    for (;;) {
      const { jobs } = (await (await request('/v1/jobs')).json()) as { jobs: JobAnswer[] }
      if (jobs.every((job) => job.finished_at !== null)) return
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }

  async function fillGallery() {
    await send('POST', '/v1/collections', { name: collection })
    for (let number = 0; number < 6; number += 1) {
      const { name, buffer } = await namedPicture(number)
      const form = new FormData()
      form.append('label', number === 0 ? htmlLabel : `shape ${number}`)
      form.append('id', `item-${number}`)
      form.append('image', new Blob([new Uint8Array(buffer)]), name)
      await send('POST', `/v1/collections/${collection}/images`, form)
    }
    await waitForJobs()
  }

  /** `origin`: of another target than that of the file. */
  async function open({
    origin = target.url,
    ...options
  }: BrowserContextOptions & { origin?: string; expectedErrors?: string[] } = {}): Promise<Page> {
    const watched = await openPage(browser, origin, options)
    opened.push(watched)
    return watched.page
  }

  beforeAll(async () => {
    browser = await launchChromium()
    target = await startTarget({ holdOnPrefix })
    await fillGallery()
  })
  afterAll(async () => {
    await browser?.close()
    await target?.stop()
  })
  afterEach(async () => {
    const wrongs = opened.flatMap((watched) => watched.wrongs)
    await Promise.all(opened.map((watched) => watched.close()))
    opened = []
    expect(wrongs).toEqual([])
  })
  return { open, request, send, waitForJobs }
}
