// Reads the answers of a test gallery and the content of its store.
import type { GalleryStack } from './gallery-stack.ts'
import { vectorOf } from './test-items.ts'

export function createReads({ store, spec, replica }: GalleryStack) {
  return {
    async search(seed: number, k: number, budget?: number) {
      const reader = await replica.acquire(spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 5_000
      })
      try {
        const hits = (await reader.search({ vectors: vectorOf(seed), k, searchBudget: budget }))[0]!
        return hits.map(({ item, score, row }) => ({ id: item.id, label: item.label, score, row }))
      } finally {
        reader.release()
      }
    },
    async storedKeys(prefix: string): Promise<string[]> {
      const found: string[] = []
      for await (const { key } of store.list(prefix)) found.push(key)
      return found
    },
    async allIds(): Promise<string[]> {
      const reader = await replica.acquire(spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 5_000
      })
      try {
        const ids: string[] = []
        for await (const item of reader.scroll()) ids.push(item.id)
        return ids.sort()
      } finally {
        reader.release()
      }
    }
  }
}
