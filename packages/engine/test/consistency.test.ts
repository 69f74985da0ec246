// Tests the answers of replicas while the collection changes: complete versions only, and at
// `strong` never an old version.
import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { ReadOptions, Replica } from '../src/contract.ts'
import { createReplica } from '../src/replica/replica.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { itemsFrom, vectorOf } from '../src/testing/test-items.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

const replicaCount = 3
/** Seconds on an idle machine. */
const longMs = 300_000
let dir: string
let gallery: Gallery
let writer: CollectionWriter
let replicas: Replica[]
async function start(kind: 'memory' | 'directory'): Promise<void> {
  const store =
    kind === 'memory'
      ? createMemoryStore()
      : await openDirectoryStore({ root: join(dir, 'objects') })
  gallery = await createGallery({ method: 'HNSW32', sealThreshold: 64, store })
  writer = await gallery.openWriter()
  replicas = Array.from({ length: replicaCount }, (_, n) =>
    createReplica({
      store,
      clock: systemClock,
      logger: silentLogger(),
      cacheDir: join(dir, `replica-${n}`),
      pollMs: 1_000
    })
  )
}
beforeEach(() => void (dir = temporaryFolder('consistency')))
afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.close()))
  await gallery.close()
})

async function query<T>(
  replica: Replica,
  options: Partial<ReadOptions>,
  use: (reader: Awaited<ReturnType<Replica['acquire']>>) => Promise<T>
): Promise<T> {
  const reader = await replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 30_000,
    ...options
  })
  try {
    return await use(reader)
  } finally {
    reader.release()
  }
}

/** Number of rounds, from TEST_ROUNDS (1000); `npm test` uses 100. */
const rounds = Number(process.env['TEST_ROUNDS'] ?? 1000)

// A directory store syncs every write to the disk.
test.each([
  ['memory', rounds],
  ['directory', 60]
] as const)(
  'in a %s store, added or deleted and searched at once at strong on 3 replicas: no answer is stale',
  async (kind, pairs) => {
    await start(kind)
    const alive = new Set<number>()
    let stale = 0
    for (let pair = 0; pair < pairs; pair++) {
      const seed = 1 + (pair % 40)
      const add = !alive.has(seed)
      if (add) {
        await gallery.add(writer, [{ id: `item-${seed}`, seeds: [seed] }])
        alive.add(seed)
      } else {
        await gallery.remove(`item-${seed}`)
        await writer.step({})
        alive.delete(seed)
      }
      if (pair % 25 === 24) {
        while (await writer.merge());
        await writer.collect()
      }
      const found = await query(
        replicas[pair % replicaCount]!,
        {},
        async (reader) => (await reader.search({ vectors: vectorOf(seed), k: 1 }))[0]![0]
      )
      if (add ? found?.item.id !== `item-${seed}` : found?.item.id === `item-${seed}`) stale++
    }
    expect(stale).toBe(0)
  },
  longMs
)

test(
  'manifest swaps under load: no answer fails, and none mixes two versions',
  async () => {
    await start('memory')
    // Every version has all items of one generation and no other items. The label tells the
    // generation.
    const items = itemsFrom(1, 6)
    const generation = (n: number) => items.map((item) => ({ ...item, label: `generation ${n}` }))
    await gallery.add(writer, generation(0))
    let over = false
    let answers = 0
    const seen = new Set<string>()
    const failures: string[] = []
    const reader = async (replica: Replica): Promise<void> => {
      let seq = 0
      while (!over) {
        try {
          const { labels, at } = await query(
            replica,
            { consistency: answers % 2 === 0 ? 'strong' : 'eventual' },
            async (reader) => {
              const hits = (await reader.search({ vectors: vectorOf(3), k: 10 }))[0]!
              return { labels: hits.map(({ item }) => item.label), at: reader.seq }
            }
          )
          answers++
          seen.add(labels[0]!)
          if (labels.length !== items.length || new Set(labels).size !== 1)
            failures.push(`mixed: ${labels.join()}`)
          if (at < seq) failures.push(`version ${at} after ${seq}`)
          seq = at
        } catch (error) {
          failures.push(String(error))
        }
      }
    }
    const readers = replicas.flatMap((replica) => [reader(replica), reader(replica)])
    const before = writer.seq
    for (let n = 1; writer.seq < before + rounds / 2; n++) {
      await gallery.add(writer, generation(n))
      // A store in memory answers at once, so the writer alone would have all turns.
      for (const answered = answers; n % 4 === 0 && answers === answered; ) await setImmediate()
      if (n % 20 === 0) {
        await writer.merge()
        await writer.collect()
      }
    }
    over = true
    await Promise.all(readers)
    console.log(`${writer.seq - before} swaps, ${answers} answers of ${seen.size} versions`)
    expect(failures).toEqual([])
    expect(seen.size).toBeGreaterThan(rounds / 20)
  },
  longMs
)
