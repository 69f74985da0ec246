// Checks of the doctor that ask for pictures: the detector of the test boxes nothing, or is slow.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { EmbedQuery } from '@likeness/shared/contract/embedder'
import { embedAnswer } from '../../api/src/test-support/start-test-api.ts'
import { mountSmallDisk } from '../../../test/support/small-disk.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { detection } from '../src/doctor/checks/detection.ts'
import { disk } from '../src/doctor/checks/disk.ts'
import { noBoxes } from '../src/doctor/checks/no-boxes.ts'
import { dim, directions, type Doctored, labelled, openGallery } from './doctor-gallery.ts'

const query = [...directions(1, 3)[0]!]

/** `boxes`: whether a subject is boxed at a detector threshold. */
function boxing({ test: { embedders } }: Doctored, boxes: (asked: EmbedQuery) => boolean): void {
  embedders.answer = (asked) => {
    const answer = embedAnswer(boxes(asked) ? [query, query] : [query])
    return { ...answer, embedding: { ...answer.embedding, dim } }
  }
}

test('pictures in which nothing is boxed are found, with what a lower detector threshold boxes', async () => {
  const gallery = await openGallery()
  await gallery.addPictures(labelled(5, 2))
  boxing(gallery, () => true)
  expect(await gallery.examine(noBoxes)).toBeUndefined()
  boxing(gallery, ({ confidence = 0.5, look }) => confidence < 0.2 || look?.detect_tiles[0] === 2)
  const found = await gallery.examine(noBoxes)
  expect(found?.found).toBe(
    'a subject is boxed in 0 of 8 pictures of the gallery; in 8 with a detector threshold of 0.1, in 8 with detect_tiles 2'
  )
  expect(found?.type[0]).toContain('{"settings":{"detect_tiles":[2]}}')
  expect((await fetch(found!.examples![0]!)).status).toBe(200)
  const asked = await openGallery({ settings: { query_subjects: 'none' } })
  await asked.addPictures(labelled(5, 2))
  boxing(asked, () => false)
  expect(await asked.examine(noBoxes)).toBeUndefined()
})

test('settings that cost most of the time of a query are found, and a slow model by itself', async () => {
  const gallery = await openGallery({ settings: { detect_tiles: [2] } })
  await gallery.addPictures(labelled(3, 1))
  boxing(gallery, () => true)
  const { embedders } = gallery.test
  const { embed } = embedders
  let [ofTiles, ofAll] = [0, 0]
  embedders.embed = async (picture, asked) => {
    await pause(ofAll + ((asked.look?.detect_tiles ?? []).length > 0 ? ofTiles : 0))
    return embed(picture, asked)
  }
  expect(await gallery.examine(detection)).toBeUndefined()
  ofTiles = 1500
  const found = await gallery.examine(detection)
  expect(found?.found).toMatch(/^embedding a query takes 1\d{3} ms, without detect_tiles \d+ ms$/)
  expect(found?.type[0]).toContain('{"settings":{"detect_tiles":[]}}')
  ;[ofTiles, ofAll] = [0, 2100]
  expect((await gallery.examine(detection))?.found).toMatch(
    /^embedding a query takes 2\.\d s, one at a time, on cpu, with 1 embed-workers$/
  )
})

test('a disk that is nearly full is found where the api says so, and another is not', async () => {
  const gallery = await openGallery()
  const { api, status } = await gallery.subject()
  expect(status.disks.data!.total_bytes).toBeGreaterThan(status.disks.data!.free_bytes)
  expect(status.disks.store).toBeNull()
  const room = (free: number, total: number) => ({
    api,
    status: { ...status, disks: { data: { free_bytes: free, total_bytes: total }, store: null } }
  })
  expect(await disk.examine(room(50e9, 1000e9))).toBeUndefined()
  expect(await disk.examine(room(15e9, 1000e9))).toMatchObject({
    found: 'the disk of DATA_DIR of the api has 15.0 GB of 1000.0 GB free'
  })
  const folder = join(temporaryFolder('full'), 'disk')
  const small = mountSmallDisk(folder, 2 ** 26)
  if (small === undefined) return
  gallery.test.deps.settings.storeDir = folder
  const full = await gallery.subject()
  small.remove({ keep: false })
  const found = await disk.examine({
    ...full,
    status: { ...full.status, disks: { ...full.status.disks, data: null } }
  })
  expect(found?.found).toBe('the disk of the object store has 0.1 GB of 0.1 GB free')
})
