// The catalogue in the store: it is read, cached for a short time, and changed by compare-and-swap.
import { decodeObject } from '@likeness/shared/contract/checked-object'
import { catalogKey } from '@likeness/shared/contract/keys'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryForRequest } from '@likeness/store/retry-store'
import { type CatalogFile, catalogSchema, type Content, encodeCatalog } from './catalog-content.ts'

/** Longest time that a name may be answered from memory. */
const maxAgeMs = 500

export interface StoredCatalogDeps {
  store: ObjectStore
  clock: Clock
  newId: () => string
}

export class StoredCatalog {
  private readonly deps: StoredCatalogDeps
  private cached: { content: Content; atMs: number } | undefined

  constructor(deps: StoredCatalogDeps) {
    this.deps = deps
  }

  async read(): Promise<{
    file: CatalogFile | undefined
    etag: string | undefined
    content: Content
  }> {
    const stored = await this.deps.store.get(catalogKey)
    if (stored === undefined)
      return {
        file: undefined,
        etag: undefined,
        content: { collections: {}, aliases: {}, dropped: [] }
      }
    const file = decodeObject(catalogSchema, catalogKey, stored.body)
    return { file, etag: stored.etag, content: file }
  }

  async current(fresh: boolean): Promise<Content> {
    const { cached } = this
    const { clock } = this.deps
    if (!fresh && cached !== undefined && clock.nowMs() - cached.atMs < maxAgeMs)
      return cached.content
    const atMs = clock.nowMs()
    try {
      const { content } = await this.read()
      this.cached = { content, atMs }
      return content
    } catch (error) {
      // While the catalogue is damaged, names cannot change. So the cached names are still good for
      // reading.
      if (fresh || this.cached === undefined || !isAppError(error, 'data_corrupt')) throw error
      return this.cached.content
    }
  }

  /**
   * Applies `edit` to the newest content until the write succeeds. `edit` throws to refuse.
   * store_unavailable when the store fails for longer than a request waits; then the change may have
   * happened, and may be repeated.
   */
  async change(edit: (content: Content) => Content): Promise<void> {
    const { store, clock, newId } = this.deps
    const writeId = newId()
    for (;;) {
      const { file, etag, content } = await retryForRequest(clock, () => this.read())
      // An earlier try of this same change succeeded although its answer was lost.
      if (file?.writeId === writeId) return
      const body = encodeCatalog(writeId, edit(content))
      const written = await retryForRequest(clock, () =>
        store.putIf(catalogKey, body, etag === undefined ? { create: true } : { ifMatch: etag })
      )
      this.invalidate()
      if (written !== undefined) return
    }
  }

  invalidate(): void {
    this.cached = undefined
  }
}
