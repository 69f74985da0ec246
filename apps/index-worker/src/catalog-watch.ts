// The catalogue as a worker needs it, many times a minute: read when it may have changed, and every
// two minutes. While notifications are not trusted, each call reads it.
import type { Catalog } from '@likeness/engine'
import type { DamagedName } from '@likeness/engine/catalog-contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Clock } from '@likeness/shared/process/clock'
import { longestPollMs } from './rounds.ts'

export interface CatalogWatch {
  /** Live collections, and names that cannot be read. */
  read(): Promise<{ live: CollectionSpec[]; damaged: DamagedName[] }>
  /** The next call of `read` reads the store. */
  changed(): void
  /** Called when names may have changed. */
  onChange(listener: () => void): void
  /** A collection as it was last read. */
  listed(collectionId: string): CollectionSpec | undefined
}

export function createCatalogWatch({
  catalog,
  clock,
  isTrusted
}: {
  catalog: Pick<Catalog, 'list' | 'damaged'>
  clock: Pick<Clock, 'nowMs'>
  isTrusted: () => boolean
}): CatalogWatch {
  let known: Awaited<ReturnType<CatalogWatch['read']>> | undefined
  let byId = new Map<string, CollectionSpec>()
  let readAtMs = -Infinity
  const listeners: (() => void)[] = []
  let changes = 0
  let readChanges = -1

  return {
    async read() {
      const atMs = clock.nowMs()
      if (
        known !== undefined &&
        isTrusted() &&
        readChanges === changes &&
        atMs - readAtMs < longestPollMs
      )
        return known
      // A change that is told during the read may be missing in what is read.
      const before = changes
      const live = await catalog.list({ fresh: true })
      known = { live, damaged: await catalog.damaged() }
      byId = new Map(live.map((spec) => [spec.collectionId, spec]))
      readAtMs = atMs
      readChanges = before
      return known
    },
    changed() {
      changes++
      for (const listener of listeners) listener()
    },
    onChange: (listener) => void listeners.push(listener),
    listed: (collectionId) => byId.get(collectionId)
  }
}
