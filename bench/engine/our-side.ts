// Our engine: a writer here, a replica in the other process, the directory store between them.
import { join } from 'node:path'
import { timed } from '../measure.ts'
import type { Side } from './side.ts'
import { createWrittenCollection } from './written-collection.ts'

const mostEf = 4096

export async function openOurSide({
  dir,
  dim,
  k
}: {
  dir: string
  dim: number
  k: number
}): Promise<Side> {
  const collection = await createWrittenCollection({
    storeDir: join(dir, 'store'),
    cacheDir: join(dir, 'writer'),
    dim,
    method: 'HNSW32'
  })
  return {
    name: 'ours',
    reader: { side: 'ours', dir, collectionId: collection.spec.collectionId },
    insert: (rows) => collection.insert(rows),
    remove: (rows) => collection.remove(rows),
    async *indexes() {
      const buildMs = await timed(() => collection.mergeAll())
      yield {
        name: 'HNSW32',
        buildMs,
        efforts: [{ effort: (n) => ({ search_budget: n }), least: k, most: mostEf }]
      }
    },
    tidy: async () => void (await collection.collect()),
    close: () => collection.close()
  }
}
