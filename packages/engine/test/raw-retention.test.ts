// Raw vectors that are past the retention of the collection go with a fold; all else stays.
import { afterEach, expect, test, vi } from 'vitest'
import { itemsFrom } from '../src/testing/test-items.ts'
import {
  base,
  deleteAll,
  fill,
  gallery,
  look,
  open,
  problems,
  reopen,
  settle,
  version,
  writer
} from './folded-gallery.ts'

afterEach(() => void vi.useRealTimers())
const day = 86_400_000
const packsWithRaws = async () => (await base()).packs.filter(({ raw }) => raw !== null).length
const keep = (days: number | null) =>
  gallery.operate({ kind: 'configure', settings: { raw_vector_days: days } })
const reproject = () =>
  gallery.operate({
    kind: 'reproject',
    embedding: { ...gallery.spec.embedding, version: 'test@1/other@1' }
  })

test('raw vectors go when they are old enough, also in a quiet collection, and nothing else does', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const foldShape = { batches: 1, slots: 100, afterMs: day }
  await open({ stateShape: {}, merging: { foldShape, packBytes: 1_000_000 } })
  await keep(2)
  await fill(0)
  expect([await writer.fold(), await packsWithRaws()]).toEqual([true, 1])
  vi.setSystemTime(Date.now() + day + 1)
  await fill(100)
  expect([await writer.fold(), await packsWithRaws()]).toEqual([true, 2])
  const before = await look()
  const rawKey = (await base()).packs[0]!.raw!.key
  vi.setSystemTime(Date.now() + day + 1)
  expect([await writer.fold(), await packsWithRaws()]).toEqual([true, 1])
  expect(await writer.fold()).toBe(false)
  vi.setSystemTime(Date.now() + day + 1)
  expect([await writer.fold(), await packsWithRaws()]).toEqual([true, 0])
  await deleteAll()
  await writer.collect()
  expect(await gallery.storedKeys(rawKey)).toEqual([])
  expect([await look(), await problems()]).toEqual([before, []])
  await reopen(() => gallery.rebuild())
  expect(await look()).toEqual(before)
})

test('without raw vectors no other embedding can be made, and the collection goes on', async () => {
  await open({ stateShape: {}, merging: { packBytes: 1_000_000 } })
  await keep(0)
  await fill(0)
  await writer.fold()
  expect(await packsWithRaws()).toBe(0)
  const before = await look()
  const revision = await reproject()
  await settle()
  expect(await writer.reindex()).toBe(true)
  expect(await gallery.outcome(revision)).toMatchObject({ error: 'raw_vectors_missing' })
  expect(await look()).toEqual(before)
  await keep(null)
  await gallery.add(writer, itemsFrom(300, 3))
  await writer.fold()
  expect([await packsWithRaws(), (await version()).spec.settings.raw_vector_days]).toEqual([
    1,
    undefined
  ])
})
