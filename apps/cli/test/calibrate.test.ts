// `likeness calibrate` against the real engine: what it chooses, keeps, and does with bad pictures.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { embedAnswer } from '../../api/src/test-support/start-test-api.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { runCalibrate } from '../src/calibrate/run-calibrate.ts'
import type { CommandContext } from '../src/command.ts'
import { droppedThreshold } from '../src/doctor/checks/dropped-threshold.ts'
import { threshold } from '../src/doctor/checks/threshold.ts'
import { dim, directions, type Doctored, labelled, near, openGallery } from './doctor-gallery.ts'

const plain = { settings: { query_subjects: 'none' } }

/** Runs the command with --json while commits go on. */
async function calibrate({ api, commit }: Doctored, ...args: string[]) {
  const lines: string[] = []
  const context = {
    print: (text: string) => void lines.push(text),
    say: () => undefined,
    write: () => undefined,
    isTerminal: false,
    nowMs: () => Date.now()
  } as unknown as CommandContext
  let ended = false
  const running = runCalibrate(['marks', '--api', api.url, '--json', ...args], context).finally(
    () => (ended = true)
  )
  for (; !ended; await new Promise((resolve) => setTimeout(resolve, 20))) await commit()
  const code = await running
  return { code, text: lines.join('\n'), json: JSON.parse(lines.at(-1)!) as Printed }
}
interface Printed {
  source: string
  asked: number
  strangers: number
  score_thres: number | null
  falseAccept: number | null
  falseReject: number | null
  ece: number | null
  curve: { score_thres: number; falseAccept: number }[]
  failed: { path: string; code: string }[]
  applied: boolean
}

test('a threshold is chosen from the gallery alone, kept, used, and dropped when the gallery has doubled', async () => {
  const gallery = await openGallery(plain)
  const items = labelled(12, 4)
  await gallery.add(items)
  const svg = join(temporaryFolder('calibrate'), 'curve.svg')
  const { code, json, text } = await calibrate(gallery, '--false-accept', '0.1', '--svg', svg)
  expect(code).toBe(0)
  expect(json).toMatchObject({ source: 'gallery', asked: 48, strangers: 48, applied: false })
  expect(json.falseAccept).toBeLessThanOrEqual(0.1)
  const rates = json.curve.map(({ falseAccept }) => falseAccept)
  expect(rates).toEqual([...rates].sort((a, b) => a - b))
  expect(text).toContain('chosen: score_thres 0.')
  const rare = await calibrate(gallery, '--false-accept', '0.01')
  expect(rare.text).toContain('48 strangers say little of a rate of 0.01: 300 would')
  expect(await readFile(svg, 'utf8')).toContain('<polyline')
  const before = await gallery.api.searchByItem('marks', '0-0', { k: 48 })
  expect(before.hits).toHaveLength(47)

  expect((await calibrate(gallery, '--false-accept', '0.1', '--apply')).json.applied).toBe(true)
  const kept = (await gallery.subject()).collection
  expect(kept.threshold).toEqual({
    score_thres: json.score_thres,
    from: 'calibration',
    dropped: null
  })
  const strong = { k: 48, consistency: 'strong' } as const
  const { hits } = await gallery.api.searchByItem('marks', '0-0', strong)
  expect(hits.every(({ score }) => score >= json.score_thres!)).toBe(true)
  expect(hits.length).toBeLessThan(20)
  expect(await gallery.examine(droppedThreshold)).toBeUndefined()
  // A search with another weight has margins, which this threshold is not for.
  const margins = await gallery.api.searchByItem('marks', '0-0', { ...strong, cohort_weight: 0.5 })
  expect(margins.hits).toHaveLength(47)

  await gallery.add(items.map((item) => ({ ...item, id: `again ${item.id}` })))
  expect((await gallery.subject()).collection.threshold).toEqual({
    score_thres: null,
    from: null,
    dropped: 'items'
  })
  expect((await gallery.api.searchByItem('marks', '0-0', { ...strong, k: 96 })).hits).toHaveLength(
    95
  )
  const found = await gallery.examine(droppedThreshold)
  expect(found).toMatchObject({ type: ['likeness calibrate marks --apply'] })
})

test('labelled pictures are asked and not added; broken and missing ones are counted and named', async () => {
  const gallery = await openGallery(plain)
  const items = labelled(10, 3)
  await gallery.add(items)
  const away = directions(40, 5)
  const { embedders } = gallery.test
  embedders.answer = () => {
    const name = Buffer.from(embedders.pictures.at(-1)!).toString()
    if (name === 'broken') throw appError('image_corrupt', 'this is no picture')
    const at = Number(/\d+/.exec(name)![0])
    const vector = name.startsWith('known') ? near(items[at]!.vector, away[at]!, 0.95) : away[at]!
    const answer = embedAnswer([[...vector]])
    return { ...answer, embedding: { ...answer.embedding, dim } }
  }
  const root = temporaryFolder('labelled')
  await mkdir(join(root, 'p'))
  const list: string[] = []
  const put = async (name: string, label: string): Promise<void> => {
    await writeFile(join(root, 'p', `${name}.jpg`), name)
    list.push(`p/${name}.jpg\t${label}`)
  }
  for (let i = 0; i < 30; i++) await put(`known ${i}`, items[i]!.label!)
  for (let i = 30; i < 40; i++) await put(`stranger ${i}`, 'none')
  await put('broken', 'label 1')
  list.push('p/missing.jpg\tlabel 2', 'p/known 1.jpg', '../outside.jpg\tlabel 3')
  const file = join(root, 'list.txt')
  await writeFile(file, `${list.join('\n')}\n`)
  const { code, json, text } = await calibrate(gallery, '--labels', file, '--false-accept', '0.2')
  expect(json.failed.slice(2, 4)).toEqual([
    expect.objectContaining({ path: 'p/broken.jpg', code: 'image_corrupt' }),
    expect.objectContaining({ path: 'p/missing.jpg', code: 'not_readable' })
  ])
  expect(code).toBe(1)
  expect(json).toMatchObject({ source: 'labels', asked: 40, strangers: 10 })
  expect(json.falseAccept).toBeLessThanOrEqual(0.2)
  expect(json.falseReject).toBe(0)
  expect(json.failed.map(({ code: why }) => why).sort()).toEqual([
    'image_corrupt',
    'missing_label',
    'not_readable',
    'path_outside_root'
  ])
  expect(text).toContain('4 pictures could not be asked')
  expect(text).toContain('p/broken.jpg: image_corrupt')
  expect((await gallery.subject()).collection.items).toBe(30)

  const table = join(root, 'labels.csv')
  await writeFile(
    table,
    `path,label,role,bbox_xyxy,extra
p/known 1.jpg,label 0,query,,
p/stranger 31.jpg,none,query,,
p/known 2.jpg,label 0,gallery,,
../outside.jpg,label 1,query,,
`
  )
  const ofTable = await calibrate(gallery, '--labels', table, '--false-accept', '0.5')
  expect(ofTable.json).toMatchObject({
    asked: 2,
    strangers: 1,
    failed: [{ path: '../outside.jpg', code: 'path_outside_root' }]
  })
})

test('a gallery of one label has no strangers: nothing is chosen, and nothing kept', async () => {
  const gallery = await openGallery(plain)
  await gallery.add(labelled(1, 6))
  const { code, json } = await calibrate(gallery, '--apply')
  expect([code, json.score_thres, json.applied]).toEqual([1, null, false])
  expect((await gallery.subject()).collection.threshold.score_thres).toBeNull()
})

test('the doctor finds a threshold that hides right answers, and not one that was calibrated', async () => {
  const gallery = await openGallery({ settings: { query_subjects: 'none', score_thres: 0.95 } })
  await gallery.add(labelled(10, 4))
  const found = await gallery.examine(threshold)
  expect(found?.found).toMatch(/^score_thres 0\.95 hides \d+ of 40 right answers$/)
  expect(found?.type[0]).toBe('likeness calibrate marks --false-accept 0.05')
  await calibrate(gallery, '--false-accept', '0.05', '--apply')
  expect((await gallery.subject()).collection.threshold.from).toBe('calibration')
  expect(await gallery.examine(threshold)).toBeUndefined()
})
