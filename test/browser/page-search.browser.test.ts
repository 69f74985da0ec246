// Searches on the page at /, by pointer and by keyboard, in a real browser. The gallery is filled through the public API, so any target will do.
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { collection, htmlLabel, startPages } from './opened-page.ts'
import { nextSearch, searchWith } from './page-answers.ts'
import { namedPicture, turnedPicture } from './pictures.ts'

const { open, send } = startPages()
const changeSettings = (settings: object): Promise<unknown> =>
  send('PATCH', `/v1/collections/${collection}`, { settings })

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

  test('where an embedding has parts, their weights can be given, and an empty one is the collection’s', async () => {
    const page = await open({ expectedErrors: ['400'] })
    // Before the route: the page asks for the collections again and again.
    expect(await page.locator('#weights').isVisible()).toBe(false)
    await page.route('**/v1/collections', async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as { collections: { weights: unknown }[] }
      answer.collections[0]!.weights = { instance: 1, kind: 0.5 }
      await route.fulfill({ response, json: answer })
    })
    await page.reload()
    const kind = page.getByLabel('kind')
    expect(await kind.getAttribute('placeholder')).toBe('0.5')
    const asked = page.waitForRequest('**/search')
    await page.locator('#file').setInputFiles(await namedPicture(1))
    expect((await asked).postData()).not.toContain('weights')
    await page.locator('.verdict').waitFor()
    const askedAgain = page.waitForRequest('**/search')
    await kind.fill('2')
    expect((await askedAgain).postData()).toContain('{"kind":2}')
    // The collection of this test has no parts.
    await page.locator('#search-problem', { hasText: 'no parts' }).waitFor()
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
