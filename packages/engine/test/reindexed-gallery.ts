// A gallery for each test, which is asked for another embedding, and what it answers by then.
import { afterEach } from 'vitest'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { shift, shifted } from '../src/testing/shifted.ts'
import { dim, vectorOf } from '../src/testing/test-items.ts'
import { verifyCollection } from '../src/verify/verify.ts'
import { readCommitted } from '../src/version/read-manifest.ts'

export let gallery: Gallery
afterEach(() => gallery.close())

export const open = async (options: GalleryOptions = {}) => {
  gallery = await createGallery({ raw: 'f16', ...options })
  return await gallery.openWriter()
}
export const version = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
export const ask = (embedding: EmbeddingSpec): Promise<number> =>
  gallery.operate({ kind: 'reproject', embedding })
export const target = shifted(3, dim)

/** Every item by its own vector in the embedding of the version that answers: id -> best hit. */
export async function found(
  seeds: readonly number[]
): Promise<{ embedding: string; hits: [string, number][] }> {
  const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    const { embedding } = reader.spec
    const hits = await Promise.all(
      seeds.map(async (seed): Promise<[string, number]> => {
        const [hit] = (await reader.search({ vectors: shift(vectorOf(seed), embedding), k: 1 }))[0]!
        return [hit!.item.id, Math.round(hit!.score * 1_000) / 1_000]
      })
    )
    return { embedding: embedding.version, hits }
  } finally {
    reader.release()
  }
}
export const itself = (seeds: readonly number[]) => seeds.map((seed) => [`item-${seed}`, 1])

export async function verified(): Promise<unknown[]> {
  const scratchDir = temporaryFolder('reprojection')
  return (
    await verifyCollection({
      store: gallery.store,
      collectionId: gallery.spec.collectionId,
      scratchDir
    })
  ).problems
}
