// Holds the formula of memory against collections that are built: what the replica reports, and
// what a process takes that opens their segments.
import { fork } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { collectionBytes, type IndexShape } from '@likeness/shared/contract/index-memory'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import type { LoadTask } from '../src/testing/loading-process.ts'
import { itemsFrom, unitVector } from '../src/testing/test-items.ts'
import { sealedConfig } from '../src/vector-index/segment-config.ts'

const dim = 512
const most = 0.1
const itemsABatch = 4_000

function loadElsewhere(task: LoadTask): Promise<number> {
  const program = fileURLToPath(new URL('../src/testing/loading-process.ts', import.meta.url))
  const child = fork(program, { execArgv: ['--import', 'tsx', '--expose-gc'] })
  return new Promise((resolve, reject) => {
    child.once('message', (bytes) => resolve(bytes as number))
    child.once('exit', (code, signal) => reject(new Error(`it ended with ${code ?? signal}`)))
    child.send(task)
  })
}

async function fill(gallery: Gallery, count: number): Promise<void> {
  const writer = await gallery.openWriter()
  const items = itemsFrom(1, count)
  const { ingestion } = await gallery.accept(items)
  for (let first = 0; first < count; first += itemsABatch)
    await gallery.embed(ingestion, items.slice(first, first + itemsABatch), first)
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
}

/** Writes the files of the segments into a folder. */
async function copySegments({ keys, store }: Gallery, ids: readonly string[]) {
  const dir = temporaryFolder('memory')
  const copied: LoadTask['segments'] = []
  for (const id of ids) {
    const files = { index: join(dir, `${id}.index`), meta: join(dir, `${id}.meta`) }
    for (const [kind, path] of Object.entries(files))
      await writeFile(
        path,
        (await store.get(keys.segmentFile(id, kind as keyof typeof files)))!.body
      )
    copied.push(files)
  }
  return copied
}

test.each<Omit<IndexShape, 'metric' | 'dim'> & { items: number }>([
  { method: 'HNSW32', storage: 'f32', items: 20_000 },
  { method: 'IVF', storage: 'sq8', items: 30_000 },
  { method: 'FLAT', storage: 'f16', items: 25_000 }
])(
  '$method over $storage: $items items take what the formula says, within a tenth',
  async ({ items, ...given }) => {
    const shape: IndexShape = { ...given, metric: 'IP', dim }
    const vectorOf = (seed: number) => unitVector(seed, dim)
    const gallery = await createGallery({ ...shape, width: dim, vectorOf, sealThreshold: 4_000 })
    try {
      await fill(gallery, items)
      const segments = await gallery.read(async (reader) => reader.segments)
      expect(segments.reduce((sum, { rows }) => sum + rows, 0)).toBe(items)
      expect(new Set(segments.map(({ storage }) => storage))).toEqual(new Set([given.storage]))
      const copied = await copySegments(
        gallery,
        segments.map(({ id }) => id)
      )
      const planned = collectionBytes(shape, { items, rows: items, segments: segments.length })
      const said = gallery.replica.status()[0]!.bytes / planned
      const config = sealedConfig(gallery.spec)
      const took = (await loadElsewhere({ segments: copied, config, dim })) / planned
      console.log(
        `${given.method} over ${given.storage}: ${Math.round(planned)} bytes planned, the replica says ${said.toFixed(3)} of it, a process took ${took.toFixed(3)}`
      )
      expect(Math.abs(said - 1)).toBeLessThan(most)
      expect(Math.abs(took - 1)).toBeLessThan(most)
    } finally {
      await gallery.close()
    }
  },
  600_000
)
