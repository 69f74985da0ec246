// Keeps thumbnails in memory; the least recently used goes first. A thumbnail that is asked for
// twice at once is made once.
import { LRUCache } from 'lru-cache'

type Make = () => Promise<Uint8Array>

export interface ThumbnailCache {
  get(key: string, make: Make): Promise<Uint8Array>
}

export function createThumbnailCache({ maxBytes }: { maxBytes: number }): ThumbnailCache {
  const cache = new LRUCache<string, Uint8Array, Make>({
    maxSize: maxBytes,
    sizeCalculation: ({ byteLength }) => Math.max(1, byteLength),
    fetchMethod: (_key, _stale, { context: make }) => make(),
    ignoreFetchAbort: true
  })
  return {
    get: async (key, make) => (await cache.fetch(key, { context: make })) ?? (await make())
  }
}
