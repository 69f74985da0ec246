// Thumbnails in memory, least used thrown out first; the same one wanted twice at once is made once.
export interface ThumbnailCache {
  get(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array>
}

export function createThumbnailCache({ maxBytes }: { maxBytes: number }): ThumbnailCache {
  // A Map keeps insertion order: the first entry is the least lately used.
  const kept = new Map<string, Uint8Array>()
  const making = new Map<string, Promise<Uint8Array>>()
  let sizeBytes = 0

  function keep(key: string, body: Uint8Array): void {
    kept.set(key, body)
    sizeBytes += body.byteLength
    for (const [oldest, { byteLength }] of kept) {
      if (sizeBytes <= maxBytes) return
      kept.delete(oldest)
      sizeBytes -= byteLength
    }
  }

  async function makeOnce(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      const body = await make()
      keep(key, body)
      return body
    } finally {
      making.delete(key)
    }
  }

  return {
    async get(key, make) {
      const body = kept.get(key)
      if (body !== undefined) {
        kept.delete(key)
        kept.set(key, body)
        return body
      }
      let made = making.get(key)
      if (made === undefined) making.set(key, (made = makeOnce(key, make)))
      return made
    }
  }
}
