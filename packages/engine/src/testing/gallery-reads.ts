// Reads the answers of a test gallery and the content of its store.
import type { CollectionReader, StoredItem } from '../contract.ts'
import { createRawVectors } from '../history/raw-vectors.ts'
import type { GalleryStack } from './gallery-stack.ts'
import { vectorOf } from './test-items.ts'

const quickMs = 5_000

export function createReads({ store, spec, replica, logger }: GalleryStack) {
  const rawVectors = createRawVectors({ store, logger })

  /** Gives the newest committed version to `use`. */
  async function read<T>(
    use: (reader: CollectionReader) => Promise<T>,
    timeoutMs = 60_000
  ): Promise<T> {
    const reader = await replica.acquire(spec.collectionId, { consistency: 'strong', timeoutMs })
    try {
      return await use(reader)
    } finally {
      reader.release()
    }
  }

  return {
    read,
    search: (seed: number, k: number, budget?: number) =>
      read(async (reader) => {
        const hits = (await reader.search({ vectors: vectorOf(seed), k, searchBudget: budget }))[0]!
        return hits.map(({ item, score, row }) => ({ id: item.id, label: item.label, score, row }))
      }, quickMs),
    /** Raw vectors of items, by one reader for all calls. */
    rawsOf: (items: readonly StoredItem[]) => rawVectors.read(spec.collectionId, items),
    async storedKeys(prefix: string): Promise<string[]> {
      const found: string[] = []
      for await (const { key } of store.list(prefix)) found.push(key)
      return found
    },
    allIds: (): Promise<string[]> =>
      read(async (reader) => {
        const ids: string[] = []
        for await (const item of reader.scroll()) ids.push(item.id)
        return ids.sort()
      }, quickMs)
  }
}
