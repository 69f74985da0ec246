// The names of collections, an object each. A name points at a collection id.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { catalogKey, collectionKeys } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Catalog } from '../catalog-contract.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { removeAlias, setAlias } from './change-alias.ts'
import { dropCollection, setListed } from './change-collection.ts'
import { prepareCollection, publishCollection } from './create-collection.ts'
import { isLive } from './drop-current.ts'
import { KnownNames } from './known-names.ts'
import { type Moved, moveCatalog } from './move-catalog.ts'
import { Names } from './names.ts'
import { Records } from './records.ts'
import { findUnwanted } from './sweep-records.ts'

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
  const parts: CatalogParts = { ...deps, names: new Names(deps), records: new Records(deps) }
  const known = new KnownNames(parts)
  let moving: Promise<Moved> | undefined

  /** Runs once: the mark never goes away. A failure is tried again by the next call. */
  function moved(): Promise<Moved> {
    moving ??= moveCatalog(parts).catch((error: unknown) => {
      moving = undefined
      throw error
    })
    return moving
  }

  async function changing<T>(change: () => Promise<T>): Promise<T> {
    await moved()
    try {
      return await change()
    } finally {
      known.invalidate()
    }
  }

  return {
    prepare: (draft) => changing(() => prepareCollection(parts, draft)),
    publish: (spec, options) => changing(() => publishCollection(parts, spec, options)),
    create: (draft) =>
      changing(async (): Promise<CollectionSpec> => {
        const spec = await prepareCollection(parts, draft)
        await publishCollection(parts, spec)
        return spec
      }),
    async resolve(name, options) {
      await moved()
      return await known.resolve(name, options)
    },
    async find(name) {
      await moved()
      const content = (await parts.names.read(name))?.content
      return content?.kind === 'collection' && !content.dropping ? content.spec : undefined
    },
    isLive: (collectionId) => isLive(parts, collectionId),
    async list(options) {
      await moved()
      return (await known.all(options)).collections
    },
    async damaged() {
      await moved()
      return (await known.all()).damaged
    },
    async page(options) {
      await moved()
      return await known.page(options)
    },
    async aliases(options) {
      await moved()
      return { ...(await known.all(options)).aliases }
    },
    async aliasesOf(name) {
      await moved()
      return await known.aliasesOf(name)
    },
    async targetOf(alias) {
      await moved()
      const content = (await parts.names.read(alias))?.content
      return content?.kind === 'alias' ? content.target : undefined
    },
    drop: (name, options) => changing(() => dropCollection(parts, name, options)),
    setAlias: (alias, name, options) => changing(() => setAlias(parts, alias, name, options)),
    removeAlias: (alias, options) => changing(() => removeAlias(parts, alias, options)),
    setListed: (collection) => changing(() => setListed(parts, collection)),
    async unwanted(options) {
      await moved()
      return await findUnwanted(parts, options)
    },
    async forget(collectionId) {
      await store.delete([collectionKeys(collectionId).current])
      await parts.records.remove(collectionId, 'making', 'dropping')
    },
    async movedAtMs() {
      return (await moved()).movedAtMs
    },
    async check() {
      await moved()
      await store.head(catalogKey)
    },
    invalidate: () => known.invalidate()
  }
}
