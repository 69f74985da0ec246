// The parts of GET /readyz that concern the store and the workers.
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Workers } from './worker-registry.ts'

/** A part of /readyz: resolves when the part is well, rejects with the reason. */
export type ReadinessCheck = () => Promise<void>

const namesShown = 5

export function workerReadiness({
  catalog,
  workers
}: {
  catalog: Pick<Catalog, 'check' | 'list'>
  workers: Workers
}): Record<'store' | 'index_worker' | 'collections', ReadinessCheck> {
  return {
    store: async () => {
      const own = workers
        .troubles()
        .find(({ process, code }) => process === 'api' && code === 'store_unavailable')
      if (own !== undefined) throw new Error(own.detail)
      await catalog.check()
    },
    index_worker: async () => {
      const living = workers.alive('index-worker')
      if (living.length === 0)
        throw new Error('no index-worker is known: what is accepted is kept and waits')
      const stopped = living.map(({ troubles }) =>
        troubles.find(({ collectionId }) => collectionId === undefined)
      )
      if (stopped.every((trouble) => trouble !== undefined)) throw new Error(stopped[0]!.detail)
    },
    collections: async () => {
      const names = new Map(
        (await catalog.list()).map(({ name, collectionId }) => [collectionId, name])
      )
      const standing = new Map(
        workers
          .troubles()
          .filter(({ process, stands }) => process === 'index-worker' && stands === true)
          .flatMap(({ collectionId, code }) => {
            const name = collectionId === undefined ? undefined : names.get(collectionId)
            return name === undefined ? [] : [[name, code] as const]
          })
      )
      if (standing.size === 0) return
      const shown = [...standing].slice(0, namesShown).map(([name, code]) => `${name} (${code})`)
      const more = standing.size - shown.length
      throw new Error(
        `${standing.size === 1 ? 'a collection stands' : 'collections stand'} still: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}; GET /v1/status says why`
      )
    }
  }
}
