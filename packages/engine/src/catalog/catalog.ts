// Names of collections: one small object, changed by compare-and-swap. A name points at a
// collection id. Dropped collections stay listed until their objects are deleted.
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Catalog } from '../catalog-contract.ts'
import { lookUp, notFound } from './catalog-content.ts'
import { removeAlias, setAlias } from './change-alias.ts'
import { dropCollection, forgetDropped, setEmbedding } from './change-collection.ts'
import { prepareCollection, publishCollection } from './create-collection.ts'
import { StoredCatalog } from './stored-catalog.ts'

export interface CatalogDeps {
  store: ObjectStore
  clock: Clock
  newId?: () => string
}

export function createCatalog({
  store,
  clock,
  newId = () => createUlid(clock.nowMs())
}: CatalogDeps): Catalog {
  const deps = { store, clock, newId }
  const catalog = new StoredCatalog(deps)
  return {
    prepare: (draft) => prepareCollection(catalog, deps, draft),
    publish: (spec, options) => publishCollection(catalog, deps, spec, options),
    async resolve(name, { fresh = false } = {}) {
      const spec =
        lookUp(await catalog.current(fresh), name) ?? lookUp(await catalog.current(true), name)
      if (spec === undefined) throw notFound(name)
      return spec
    },
    async isLive(collectionId) {
      const { content } = await catalog.read()
      return Object.values(content.collections).some((spec) => spec.collectionId === collectionId)
    },
    async list({ fresh = false } = {}) {
      return Object.values((await catalog.current(fresh)).collections).sort((a, b) =>
        a.name < b.name ? -1 : 1
      )
    },
    async dropped() {
      return (await catalog.read()).content.dropped.map(({ collectionId }) => collectionId)
    },
    async create(draft) {
      const spec = await prepareCollection(catalog, deps, draft)
      await publishCollection(catalog, deps, spec)
      return spec
    },
    drop: (name, options) => dropCollection(catalog, clock, name, options),
    aliases: async ({ fresh = false } = {}) => ({ ...(await catalog.current(fresh)).aliases }),
    setAlias: (alias, name, options) => setAlias(catalog, alias, name, options),
    removeAlias: (alias, options) => removeAlias(catalog, alias, options),
    setEmbedding: (collectionId, embedding) => setEmbedding(catalog, collectionId, embedding),
    forget: (collectionId) => forgetDropped(catalog, collectionId),
    invalidate: () => catalog.invalidate()
  }
}
