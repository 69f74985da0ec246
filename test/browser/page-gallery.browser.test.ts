// What the page at / shows and changes of a gallery: items beside a query, jobs, deletes, collections, on any screen and with a key. In a real browser; the gallery is filled through the public API, so any target will do.
import type { Locator, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { CompareAnswer } from '@likeness/shared/contract/http/compare'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createGate } from '../support/gate.ts'
import { collection, startPages } from './opened-page.ts'
import { nextAnswer, searchWith } from './page-answers.ts'
import { namedPicture } from './pictures.ts'
import { startTarget } from './target.ts'

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

const { open, request, send, waitForJobs } = startPages({
  holdOnPrefix: Object.assign({}, ...gates.map((gate) => gate.holdOnPrefix))
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
    await send('POST', '/v1/collections', { name: 'vectors' })
    const line = JSON.stringify({
      id: 'only-a-vector',
      vectors: [Array.from({ length: 64 }, (_, i) => Math.sin(i + 1))]
    })
    const sent = await request('/v1/collections/vectors/vectors', {
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
    expect((await request(`/v1/collections/${collection}/items/item-5`)).status).toBe(404)
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
    const page = await open({ origin: locked.url, expectedErrors: ['401'] })
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
