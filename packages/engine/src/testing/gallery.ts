// A collection on a memory store with real Faiss files, and short names for the operations of
// tests.
import { rm } from 'node:fs/promises'
import type { CollectionWriter } from '../writer/collection-writer.ts'
import { createIngestions } from './gallery-ingestions.ts'
import { createOperations } from './gallery-operations.ts'
import { createReads } from './gallery-reads.ts'
import { createGalleryStack, type GalleryOptions } from './gallery-stack.ts'
import type { TestItem } from './test-items.ts'

export type Gallery = Awaited<ReturnType<typeof createGallery>>

export async function createGallery(options: GalleryOptions = {}) {
  const stack = await createGalleryStack(options)
  const gallery = {
    ...stack,
    ...createIngestions(stack, options),
    ...createOperations(stack),
    ...createReads(stack),
    /** Accepts, embeds and commits items. */
    async add(writer: CollectionWriter, items: readonly TestItem[]): Promise<string> {
      const { ingestion } = await gallery.accept(items)
      for (let first = 0; first < items.length; first += 200)
        await gallery.embed(ingestion, items.slice(first, first + 200), first)
      while ((await writer.step({ list: true })).more);
      return ingestion
    },
    async close(): Promise<void> {
      await stack.replica.close()
      await rm(stack.dir, { recursive: true, force: true })
    }
  }
  return gallery
}
