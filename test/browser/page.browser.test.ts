// Drives the page at / in a real browser. The gallery is filled through the public API, so any target will do.
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { CompareAnswer } from '@likeness/shared/contract/http/compare'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createGate } from '../support/gate.ts'
import { launchChromium, openPage, type WatchedPage } from './chromium.ts'
import { namedPicture, turnedPicture } from './pictures.ts'
import { startTarget, type Target } from './target.ts'

const htmlLabel = '<img src=x onerror=alert(1)>'
const collection = 'shapes'

const slowIds = await Promise.all(
  Array.from({ length: 24 }, async (_, i) => {
    const { buffer } = await namedPicture(100 + i)
    return sha256Hex(buffer)
  })
)
/** Of 24 pictures the first 8 are embedded at once, then 8 behind each gate. */
const gates = [createGate(...slowIds.slice(8, 16)), createGate(...slowIds.slice(16))]
const valueOf = async (bar: Locator): Promise<number> =>
  Number(await bar.getAttribute('aria-valuenow'))

let browser: Browser
let target: Target
let opened: WatchedPage[] = []

async function send(method: string, path: string, body: FormData | object): Promise<unknown> {
  const isForm = body instanceof FormData
  const response = await fetch(target.url + path, {
    method,
    body: isForm ? body : JSON.stringify(body),
    headers: isForm ? {} : { 'content-type': 'application/json' }
  })
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

const post = (path: string, body: FormData | object): Promise<unknown> => send('POST', path, body)
const changeSettings = (settings: object): Promise<unknown> =>
  send('PATCH', `/v1/collections/${collection}`, { settings })

async function waitForJobs() {
  for (;;) {
    const { jobs } = (await (await fetch(`${target.url}/v1/jobs`)).json()) as { jobs: JobAnswer[] }
    if (jobs.every((job) => job.finished_at !== null)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function fillGallery() {
  await post('/v1/collections', { name: collection })
  for (let number = 0; number < 6; number += 1) {
    const { name, buffer } = await namedPicture(number)
    const form = new FormData()
    form.append('label', number === 0 ? htmlLabel : `shape ${number}`)
    form.append('id', `item-${number}`)
    form.append('image', new Blob([new Uint8Array(buffer)]), name)
    await post(`/v1/collections/${collection}/images`, form)
  }
  await waitForJobs()
}

async function open(
  options: BrowserContextOptions & { expectedErrors?: string[] } = {}
): Promise<Page> {
  const watched = await openPage(browser, target.url, options)
  opened.push(watched)
  return watched.page
}

/** Listens in the page itself to the next answer of a path that ends so: from outside a body can only be asked for afterwards, and Chromium may have let go of it by then. */
async function nextAnswer<T>(page: Page, end: string): Promise<() => Promise<T>> {
  const heard = await page.evaluateHandle(
    (wanted) => ({
      answer: new Promise<unknown>((resolve, reject) => {
        const real = globalThis.fetch
        globalThis.fetch = async (...request) => {
          const response = await real(...request)
          if (!response.url.endsWith(wanted)) return response
          globalThis.fetch = real
          response.clone().json().then(resolve, reject)
          return response
        }
      })
    }),
    end
  )
  return async () => (await heard.evaluate(({ answer }) => answer)) as T
}
const nextSearch = (page: Page): Promise<() => Promise<SearchAnswer>> => nextAnswer(page, '/search')

/** Hands the page a picture and returns what the API answered. */
async function searchWith(
  page: Page,
  picture: Awaited<ReturnType<typeof namedPicture>>
): Promise<SearchAnswer> {
  const answered = await nextSearch(page)
  await page.locator('#file').setInputFiles(picture)
  const answer = await answered()
  await page.locator('.verdict').waitFor()
  return answer
}

beforeAll(async () => {
  browser = await launchChromium()
  target = await startTarget({
    holdOnPrefix: Object.assign({}, ...gates.map((gate) => gate.holdOnPrefix))
  })
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

describe('searching', () => {
  test('a picture gets its boxes, and hits with thumbnail, label, score and id', async () => {
    const page = await open()
    const answer = await searchWith(page, await namedPicture(2))
    expect(await page.locator('.box').count()).toBe(
      answer.objects.filter((object) => object.box !== null).length
    )
    const first = page.locator('.hit').first()
    expect(await first.locator('.hit-label').textContent()).toBe('shape 2')
    expect(await first.locator('.hit-id').textContent()).toBe('item-2')
    expect(Number(await first.locator('.score').textContent())).toBeCloseTo(
      answer.hits[0]!.score,
      2
    )
    await first.locator('.remote-image[data-state=shown]').waitFor()
    expect(
      await first
        .locator('img')
        .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth)
    ).toBeGreaterThan(0)
    expect(await page.locator('.verdict h2').textContent()).toBe('shape 2')
    expect(await page.locator('.took').textContent()).toContain(`index seq ${answer.index_seq}`)
    expect(await page.locator('#search-status').textContent()).toContain('shape 2')
  })

  test('the boxes lie where the answer says, also on a picture that EXIF turns', async () => {
    const page = await open()
    const answer = await searchWith(page, await turnedPicture())
    expect(answer.picture).toEqual({ width: 150, height: 300 })
    const picture = (await page.locator('#picture-image').boundingBox())!
    expect(picture.height / picture.width).toBeCloseTo(2, 1)
    const seen = sharp(await page.locator('#picture-image').screenshot())
    const { width = 0, height = 0 } = await seen.metadata()
    const redAndBlue = async (top: number) => [
      ...(await seen
        .clone()
        .extract({ left: width >> 1, top, width: 1, height: 1 })
        .removeAlpha()
        .raw()
        .toBuffer())
    ]
    expect((await redAndBlue(10))[0]).toBeGreaterThan(200)
    expect((await redAndBlue(height - 10))[2]).toBeGreaterThan(200)
    for (const [index, object] of answer.objects.entries()) {
      const drawn = (await page.locator(`.box[data-object="${index}"]`).boundingBox())!
      const scale = picture.width / answer.picture!.width
      expect(Math.abs(drawn.x - picture.x - object.box![0] * scale)).toBeLessThan(2)
      expect(Math.abs(drawn.y - picture.y - object.box![1] * scale)).toBeLessThan(2)
      expect(Math.abs(drawn.height - (object.box![3] - object.box![1]) * scale)).toBeLessThan(2)
    }
  })

  test('a hit under the pointer lights the box it came from, and only that', async () => {
    const page = await open()
    const answer = await searchWith(page, await namedPicture(2))
    await page.locator('.tab[data-tab="0"]').click()
    expect(await page.locator('.hit').count()).toBe(answer.objects[0]!.hits.length)
    await page.locator('.hit').first().hover()
    expect(await page.locator('.box.lit').count()).toBe(1)
    expect(await page.locator('.box.lit').getAttribute('data-object')).toBe('0')
    await page.locator('.brand').hover()
    expect(await page.locator('.box.lit').count()).toBe(0)
  })

  test('a box drawn with the mouse searches just that part', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(1))
    const area = (await page.locator('#picture').boundingBox())!
    const answered = await nextSearch(page)
    await page.mouse.move(area.x + area.width * 0.25, area.y + area.height * 0.5)
    await page.mouse.down()
    await page.mouse.move(area.x + area.width * 0.5, area.y + area.height * 0.6, { steps: 4 })
    await page.mouse.move(area.x + area.width * 0.75, area.y + area.height * 0.75, { steps: 4 })
    await page.mouse.up()
    const answer = await answered()
    expect(answer.objects.map((object) => object.kind)).toEqual(['given'])
    for (const [index, expected] of [60, 120, 180, 180].entries())
      expect(Math.abs(answer.objects[0]!.box![index]! - expected)).toBeLessThanOrEqual(3)
    await page.getByRole('tab', { name: 'Your box' }).waitFor()
    const again = await nextSearch(page)
    await page.getByRole('button', { name: 'Whole picture again' }).click()
    expect((await again()).objects.some((object) => object.kind === 'given')).toBe(false)
  })

  test('nothing above the minimum score is said to be unknown', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(77))
    expect(await page.locator('.verdict.unknown').count()).toBe(0)
    await page.locator('#threshold-on').check()
    await page.locator('#threshold').fill('1')
    await page.locator('.verdict.unknown').waitFor()
    expect(await page.locator('.verdict').textContent()).toContain(
      'Nothing in shapes has a score of 1.00 or above'
    )
    expect(await page.locator('.hit').count()).toBe(0)
  })

  test('where a threshold is compared with how far hits stand out, the page says so', async () => {
    await changeSettings({ cohort_weight: 0.5 })
    try {
      const page = await open()
      const { hits } = await searchWith(page, await namedPicture(77))
      expect(await page.locator('.verdict').textContent()).toContain(
        `margin ${hits[0]!.margin!.toFixed(3)}`
      )
      expect(await page.locator('.hit .margin').first().textContent()).toBe(
        `margin ${hits[0]!.margin!.toFixed(3)}`
      )
      await page.getByLabel('Minimum margin').first().check()
      await page.locator('#threshold').fill('1')
      await page.locator('.verdict.unknown').waitFor()
      expect(await page.locator('.verdict').textContent()).toContain(
        'Nothing in shapes has a margin of 1.00 or above'
      )
    } finally {
      await changeSettings({ cohort_weight: null })
    }
  })

  test('k changes how many hits there are', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(1))
    const answered = await nextSearch(page)
    await page.locator('#k').fill('2')
    expect((await answered()).hits).toHaveLength(2)
    await page.locator('.hit').nth(2).waitFor({ state: 'detached' })
    expect(await page.locator('.hit').count()).toBe(2)
  })

  test('a label that is HTML is shown as text and runs nothing', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(0))
    expect(await page.locator('.hit-label').first().textContent()).toBe(htmlLabel)
    expect(await page.locator('.verdict h2').textContent()).toBe(htmlLabel)
    expect(await page.locator('img[src="x"]').count()).toBe(0)
    await page.locator('.thumb').first().click()
    expect(await page.locator('dialog h2').textContent()).toBe(htmlLabel)
    await page.locator('.compared .cell').first().waitFor()
  })

  test('what is no picture shows the problem with its detail and code', async () => {
    const page = await open({ expectedErrors: ['Failed to load resource'] })
    await page
      .locator('#file')
      .setInputFiles({ name: 'note.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('only text') })
    await page.locator('#search-problem .code').waitFor()
    expect(await page.locator('#search-problem .code').textContent()).toMatch(
      /^image_(corrupt|unsupported)$/
    )
    expect((await page.locator('.problem-detail').textContent())!.length).toBeGreaterThan(5)
  })

  test('a picture dropped on the page is searched', async () => {
    const page = await open()
    const { buffer } = await namedPicture(4)
    await page.locator('#stage').waitFor()
    await page.evaluate(`(() => {
      const bytes = Uint8Array.from(atob('${buffer.toString('base64')}'), (letter) => letter.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }))
      for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }))
    })()`)
    await page.locator('.hit').first().waitFor()
    expect(await page.locator('.hit-id').first().textContent()).toBe('item-4')
    expect(await page.locator('#drop-veil').isVisible()).toBe(false)
  })
})

describe('a hit beside the query', () => {
  /** Opens a hit; its two pictures, and what the API answered. */
  async function openHit(page: Page, id: string) {
    const answered = await nextAnswer<CompareAnswer>(page, '/compare')
    await page.locator(`.hit[data-id="${id}"] .thumb`).click()
    const answer = await answered()
    await page.locator('.compared').nth(1).locator('.cell').last().waitFor()
    return {
      answer,
      own: page.locator('.compared').nth(0),
      gallery: page.locator('.compared').nth(1),
      status: page.locator('.compared-status')
    }
  }

  test('the parts that match have the same number in both pictures, and lie where the boxes are', async () => {
    const page = await open()
    const found = await searchWith(page, await namedPicture(2))
    await page.locator('.tab[data-tab="0"]').click()
    const { answer, own, gallery, status } = await openHit(page, found.objects[0]!.hits[0]!.id)
    expect(answer.query.box.map(Math.round)).toEqual(found.objects[0]!.box!.map(Math.round))
    expect(answer.item.box.map(Math.round)).toEqual(found.objects[0]!.hits[0]!.box.map(Math.round))
    expect(answer.matches.length).toBeGreaterThan(3)
    for (const [index, { query_cell: from, item_cell: to }] of answer.matches.entries()) {
      expect(await own.locator(`[data-cell="${from}"] .cell-number`).textContent()).toBe(
        String(index + 1)
      )
      expect(await gallery.locator(`[data-cell="${to}"] .cell-number`).textContent()).toBe(
        String(index + 1)
      )
    }
    expect(await own.locator('.cell.matched').count()).toBe(answer.matches.length)
    await page.mouse.move(2, 2)
    expect(await status.textContent()).toContain(`${answer.matches.length} of 9 parts match`)
    const [picture, cells] = [
      (await own.locator('img').boundingBox())!,
      (await own.locator('.cells').boundingBox())!
    ]
    const scale = picture.width / answer.query.width
    for (const [drawn, wanted] of [
      [cells.x - picture.x, answer.query.box[0]],
      [cells.y - picture.y, answer.query.box[1]],
      [cells.width, answer.query.box[2] - answer.query.box[0]]
    ] as const) {
      expect(Math.abs(drawn - wanted * scale)).toBeLessThan(2)
    }
  })

  test('a part under the pointer lights the parts of the other picture that match it, and no others', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(2))
    await page.getByRole('tab', { name: 'Whole picture' }).click()
    const { answer, own, gallery, status } = await openHit(page, 'item-2')
    const countOf = (cell: number): number =>
      answer.strengths[cell]!.filter((value) => value >= 1 / 3).length
    const { query_cell: from, strength } = answer.matches.reduce((least, match) =>
      countOf(match.query_cell) < countOf(least.query_cell) ? match : least
    )
    expect(countOf(from)).toBeLessThan(9)
    await own.locator(`[data-cell="${from}"]`).hover()
    const lit = await gallery
      .locator('.cell.answers')
      .evaluateAll((cells) =>
        cells.map((cell) => Number((cell as unknown as { dataset: { cell: string } }).dataset.cell))
      )
    expect(lit).toEqual(
      [...answer.strengths[from]!.keys()].filter((cell) => answer.strengths[from]![cell]! >= 1 / 3)
    )
    expect(await status.textContent()).toContain(strength.toFixed(2))
    await page.mouse.move(2, 2)
    expect(await gallery.locator('.cell.answers').count()).toBe(0)
  })

  test('with the keyboard the parts are walked by arrows, and each says what it matches', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(2))
    const { answer, gallery, status } = await openHit(page, 'item-2')
    await gallery.locator('.cell').first().focus()
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowLeft'])
      await page.keyboard.press(key)
    const focused = page.locator(':focus')
    expect(await focused.getAttribute('data-cell')).toBe('6')
    const match = answer.matches.find(({ item_cell: cell }) => cell === 6)
    expect(await focused.getAttribute('aria-label')).toMatch(
      match === undefined
        ? /^bottom left: matches nothing clearly$/
        : /^bottom left: matches the .* of your picture, \d\.\d\d$/
    )
    expect(await status.textContent()).toContain('The bottom left of the gallery picture')
    expect(await status.getAttribute('aria-live')).toBe('polite')
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
  })

  test('an item that came as a vector has no picture to compare, which is said', async () => {
    await post('/v1/collections', { name: 'vectors' })
    const line = JSON.stringify({
      id: 'only-a-vector',
      vectors: [Array.from({ length: 64 }, (_, i) => Math.sin(i + 1))]
    })
    const sent = await fetch(`${target.url}/v1/collections/vectors/vectors`, {
      method: 'POST',
      body: line,
      headers: { 'content-type': 'application/x-ndjson' }
    })
    expect(sent.status).toBe(202)
    await waitForJobs()
    const page = await open({ expectedErrors: ['Failed to load resource'] })
    await page.locator('#collection').selectOption('vectors')
    await searchWith(page, await namedPicture(2))
    await page.locator('.hit[data-id="only-a-vector"] .thumb').click()
    await page.locator('.compared-status .code').waitFor()
    expect(await page.locator('.compared-status').textContent()).toBe(
      'The parts cannot be compared: this item has no picture object_not_found'
    )
    expect(await page.locator('.compared .no-picture').textContent()).toBe('no picture')
    expect(await page.locator('.cell').count()).toBe(0)
  })
})

describe('keyboard', () => {
  test('a picture is chosen, tabs are walked and a box is drawn without a pointer', async () => {
    const page = await open()
    // The view takes its final form once the collection is known.
    await page.locator('.stats b').first().waitFor()
    const chooser = page.waitForEvent('filechooser')
    await page.locator('#choose').press('Enter')
    await (await chooser).setFiles(await namedPicture(3))
    await page.locator('.hit').first().waitFor()
    await page.getByRole('tab').first().focus()
    await page.keyboard.press('ArrowRight')
    const second = page.getByRole('tab').nth(1)
    expect(await second.getAttribute('aria-selected')).toBe('true')
    expect(await page.locator(':focus').getAttribute('id')).toBe(await second.getAttribute('id'))
    await page.locator('#draw').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Shift+ArrowDown')
    const answered = await nextSearch(page)
    await page.keyboard.press('Enter')
    const answer = await answered()
    expect(answer.objects[0]).toMatchObject({ kind: 'given', box: [55, 60, 175, 185] })
  })

  test('everything that can be pressed is reached with Tab and says what it is', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(3))
    await page.locator('.skip').focus()
    const seen = new Set<string>()
    for (let step = 0; step < 60; step += 1) {
      await page.keyboard.press('Tab')
      const [tag, name] = (await page.evaluate(
        `(() => { const at = document.activeElement; return [at.tagName + '#' + at.id + '.' + at.className, at.getAttribute('aria-label') || at.labels?.[0]?.textContent || at.textContent] })()`
      )) as [string, string]
      if (tag.startsWith('BODY')) break
      expect(name.trim(), tag).not.toBe('')
      seen.add(tag)
    }
    for (const wanted of [
      'SELECT#collection.',
      'BUTTON#draw.',
      'INPUT#k.',
      'BUTTON#.thumb',
      'BUTTON#.quiet delete',
      'BUTTON#.box'
    ]) {
      expect(
        [...seen].some((tag) => tag.startsWith(wanted)),
        wanted
      ).toBe(true)
    }
  })
})

describe('jobs and items', () => {
  test('pictures added here move a bar to the end, and those that failed say why', async () => {
    const page = await open({ viewport: { width: 1200, height: 800 } })
    await page.locator('[data-view=jobs]').click()
    const good = await Promise.all(
      [...Array(24).keys()].map((number) => namedPicture(100 + number))
    )
    await page
      .locator('#upload-files')
      .setInputFiles([
        ...good,
        { name: '<b>bad</b>.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') }
      ])
    await page.locator('#upload-label').fill('many shapes')
    await page.getByRole('button', { name: 'Add 25 pictures' }).click()
    const card = page.locator('.job').first()
    const bar = card.getByRole('progressbar')
    await page.locator('.job[data-state=queued], .job[data-state=running]').first().waitFor()
    // It stands at each gate with some of the pictures done, and goes on when the gate is opened.
    const seen = [0]
    for (const gate of gates) {
      await expect.poll(() => valueOf(bar)).toBeGreaterThan(seen.at(-1)!)
      seen.push(await valueOf(bar))
      expect(await card.getAttribute('data-state')).not.toBe('completed')
      gate.open()
    }
    await expect.poll(() => card.getAttribute('data-state')).toBe('completed')
    expect(seen.at(-1)).toBeLessThan(25)
    expect(await bar.getAttribute('aria-valuenow')).toBe('25')
    expect(await card.locator('.job-facts').textContent()).toMatch(/25 of 25 pictures.*images\/s/)
    await card.locator('summary').click()
    await card.locator('tbody tr').first().waitFor()
    expect(await card.locator('tbody tr').count()).toBe(1)
    expect(await card.locator('tbody .code').textContent()).toMatch(/^image_(corrupt|unsupported)$/)
    expect((await card.locator('tbody td').nth(3).textContent())!.length).toBeGreaterThan(5)
    expect(await card.locator('tbody b').count()).toBe(0)
    await page.locator('.stats b', { hasText: '30' }).waitFor()
  })

  test('an item is deleted from its hit only after the question is answered', async () => {
    const page = await open()
    await searchWith(page, await namedPicture(5))
    const row = page.locator('.hit[data-id="item-5"]')
    await row.hover()
    await row.getByRole('button', { name: 'Delete shape 5' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect(await row.count()).toBe(1)
    await row.hover()
    await row.getByRole('button', { name: 'Delete shape 5' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await row.waitFor({ state: 'detached' })
    expect((await fetch(`${target.url}/v1/collections/${collection}/items/item-5`)).status).toBe(
      404
    )
  })

  test('a new collection is chosen, is empty and says what to do; the choice is remembered', async () => {
    const page = await open({ expectedErrors: ['409'] })
    await page.locator('#new-collection').click()
    await page.getByLabel('Name').fill(collection)
    await page.getByRole('button', { name: 'Create' }).click()
    expect(await page.locator('dialog .code').textContent()).toBe('collection_exists')
    await page.getByLabel('Name').fill('zoo')
    await page.getByLabel('Index').selectOption('FLAT')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.locator('.idle h2', { hasText: 'zoo is empty' }).waitFor()
    expect(await page.locator('.idle code').textContent()).toContain('/v1/collections/zoo/images')
    await page.reload()
    await page.locator('.idle h2', { hasText: 'zoo is empty' }).waitFor()
    expect(await page.locator('#collection').inputValue()).toBe('zoo')
    expect(await page.locator('.stats').textContent()).toContain('FLAT')
  })
})

describe('screens and keys', () => {
  test.each([320, 390])('a screen %i pixels wide does not scroll sideways', async (width) => {
    const page = await open({ viewport: { width, height: 700 }, hasTouch: true, isMobile: true })
    // Not innerWidth: a phone zooms out to fit what is too wide.
    const overflow = async () =>
      Number(await page.evaluate('document.documentElement.scrollWidth')) - width
    await searchWith(page, await namedPicture(0))
    expect(await overflow()).toBeLessThanOrEqual(0)
    await page.locator('[data-view=jobs]').click()
    await page.locator('.job').first().waitFor()
    expect(await overflow()).toBeLessThanOrEqual(0)
  })

  test('a server with a key is asked with it, pictures included, and a wrong key is asked for again', async () => {
    const locked = await startTarget({ apiKey: 'the-right-key-of-this-test' })
    const watched = await openPage(browser, locked.url, { expectedErrors: ['401'] })
    opened.push(watched)
    const { page } = watched
    await page.getByLabel('API key').fill('a-key-that-is-wrong')
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.locator('dialog .problem-line').waitFor()
    await page.getByLabel('API key').fill('the-right-key-of-this-test')
    await page.getByRole('button', { name: 'Use this key' }).click()
    await page.locator('#welcome button.primary').click()
    await page.getByLabel('Name').fill('locked')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    await page.locator('[data-view=jobs]').click()
    await page.locator('#upload-files').setInputFiles(await namedPicture(1))
    await page.locator('#upload [type=submit]').click()
    await page.locator('.job[data-state=completed]').waitFor()
    await page.locator('[data-view=search]').click()
    await searchWith(page, await namedPicture(1))
    await page.locator('.remote-image[data-state=shown]').waitFor()
    expect(await page.locator('.hit img').getAttribute('src')).toMatch(/^blob:/)
    await locked.stop()
  })
})
