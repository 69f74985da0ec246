// Names of collections: one small object, changed by compare-and-swap. A name points at a
// collection id. Dropped collections stay listed until their objects are deleted.
import { isDeepStrictEqual } from 'node:util'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import {
  type CollectionDraft,
  collectionNameSchema,
  type CollectionSpec,
  draftSchema,
  specProblem
} from '@likeness/shared/contract/collection'
import { catalogKey, collectionKeys } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import type { Catalog } from '../contract.ts'
import { encodeCurrent } from '../version/current.ts'
import { emptyManifest, encodeManifest } from '../version/manifest.ts'
import {
  aliasesOf,
  type CatalogFile,
  catalogSchema,
  checkTarget,
  type Content,
  encodeCatalog,
  notFound,
  own,
  refuseAlias,
  withAlias,
  withoutAlias
} from './catalog-content.ts'

const lookUp = ({ collections, aliases }: Content, name: string): CollectionSpec | undefined =>
  own(collections, name) ?? own(collections, own(aliases, name) ?? '')

/** Longest time for which a name may be answered from memory. */
const maxAgeMs = 500

/** Writes manifest 0 and CURRENT of a new collection id, before any name points at it. */
async function layFoundation(
  store: ObjectStore,
  spec: CollectionSpec,
  commitId: string
): Promise<void> {
  const keys = collectionKeys(spec.collectionId)
  const body = encodeManifest(emptyManifest(spec, commitId))
  const manifest = keys.manifest(0, 0, commitId)
  await store.put(manifest, body)
  // Create only, because a late write of an earlier try may land after commits were made. An
  // existing CURRENT comes from an earlier try and is equally good.
  await store.putIf(
    keys.current,
    encodeCurrent({
      format: 1,
      seq: 0,
      epoch: 0,
      commitId,
      manifest,
      sha256: sha256Hex(body),
      writeId: commitId
    }),
    { create: true }
  )
}

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
  let cached: { content: Content; atMs: number } | undefined

  async function read(): Promise<{
    file: CatalogFile | undefined
    etag: string | undefined
    content: Content
  }> {
    const stored = await store.get(catalogKey)
    if (stored === undefined)
      return {
        file: undefined,
        etag: undefined,
        content: { collections: {}, aliases: {}, dropped: [] }
      }
    const file = decodeObject(catalogSchema, catalogKey, stored.body)
    return { file, etag: stored.etag, content: file }
  }

  async function current(fresh: boolean): Promise<Content> {
    if (!fresh && cached !== undefined && clock.nowMs() - cached.atMs < maxAgeMs)
      return cached.content
    const atMs = clock.nowMs()
    try {
      const { content } = await read()
      cached = { content, atMs }
      return content
    } catch (error) {
      // While the catalogue is damaged, names cannot change. So the names read last are still good
      // for reading.
      if (fresh || cached === undefined || !isAppError(error, 'data_corrupt')) throw error
      return cached.content
    }
  }

  /** Applies `edit` to the newest content until the write lands. `edit` throws to refuse. */
  async function change(edit: (content: Content) => Content): Promise<void> {
    const writeId = newId()
    for (;;) {
      const { file, etag, content } = await retryStore(clock, read)
      // An earlier try of this same change landed although its answer was lost.
      if (file?.writeId === writeId) return
      const body = encodeCatalog(writeId, edit(content))
      const written = await retryStore(clock, () =>
        store.putIf(catalogKey, body, etag === undefined ? { create: true } : { ifMatch: etag })
      )
      cached = undefined
      if (written !== undefined) return
    }
  }

  function checked(draft: CollectionDraft) {
    const options = draftSchema.parse(draft)
    const problem = specProblem(options)
    if (problem !== undefined) throw appError('invalid_request', problem)
    if (options.metric === 'IP' && !options.embedding.unit && options.method === 'HNSW32')
      throw appError(
        'invalid_request',
        'HNSW32 with the inner product needs unit vectors; take L2 or cosine'
      )
    return options
  }
  const taken = (name: string) =>
    appError('collection_exists', `there is already a collection ${JSON.stringify(name)}`)

  async function prepare(draft: CollectionDraft): Promise<CollectionSpec> {
    const options = checked(draft)
    const now = await current(true)
    refuseAlias(now, options.name)
    if (own(now.collections, options.name) !== undefined) throw taken(options.name)
    const spec: CollectionSpec = { ...options, collectionId: newId(), createdAtMs: clock.nowMs() }
    await retryStore(clock, () => layFoundation(store, spec, newId()))
    return spec
  }

  async function publish(spec: CollectionSpec): Promise<void> {
    await change((content) => {
      const there = own(content.collections, spec.name)
      // The name is already ours: an earlier try landed although its answer was lost, and another
      // process has written since.
      if (there?.collectionId === spec.collectionId) return content
      // The collection is ours, and another process has dropped it since. So it stays dropped.
      if (content.dropped.some(({ collectionId }) => collectionId === spec.collectionId))
        return content
      refuseAlias(content, spec.name)
      if (there !== undefined) throw taken(spec.name)
      return { ...content, collections: { ...content.collections, [spec.name]: spec } }
    })
  }

  return {
    prepare,
    publish,
    async resolve(name, { fresh = false } = {}) {
      const spec = lookUp(await current(fresh), name) ?? lookUp(await current(true), name)
      if (spec === undefined) throw notFound(name)
      return spec
    },
    async isLive(collectionId) {
      const { content } = await read()
      return Object.values(content.collections).some((spec) => spec.collectionId === collectionId)
    },
    async list({ fresh = false } = {}) {
      return Object.values((await current(fresh)).collections).sort((a, b) =>
        a.name < b.name ? -1 : 1
      )
    },
    async dropped() {
      return (await read()).content.dropped.map(({ collectionId }) => collectionId)
    },
    async create(draft) {
      const spec = await prepare(draft)
      await publish(spec)
      return spec
    },
    async drop(name, { expected = '' } = {}) {
      let collectionId = expected
      await change((content) => {
        const spec = own(content.collections, name)
        // An earlier try, whose answer was lost too, has dropped the collection. A new one of that
        // name must stay.
        if (
          collectionId !== '' &&
          spec?.collectionId !== collectionId &&
          lookUp(content, name)?.collectionId !== collectionId
        )
          return content
        if (spec === undefined) {
          refuseAlias(content, name)
          throw notFound(name)
        }
        const aliases = aliasesOf(content, name)
        if (aliases.length > 0)
          throw appError(
            'collection_has_aliases',
            `${JSON.stringify(name)} is what ${aliases.join(', ')} point at: move or remove them first`,
            { detail: { aliases } }
          )
        collectionId = spec.collectionId
        const { [name]: _gone, ...collections } = content.collections
        return {
          ...content,
          collections,
          dropped: [...content.dropped, { collectionId, atMs: clock.nowMs() }]
        }
      })
      return { collectionId }
    },
    aliases: async ({ fresh = false } = {}) => ({ ...(await current(fresh)).aliases }),
    async setAlias(alias, name, { expected } = {}) {
      if (!collectionNameSchema.safeParse(alias).success)
        throw appError(
          'invalid_name',
          `${JSON.stringify(alias)} is not a name that an alias can have`
        )
      let tried = false
      await change((content) => {
        // The alias already points there: an earlier try landed although its answer was lost, and
        // another process has written since.
        if (tried && own(content.aliases, alias) === name) return content
        checkTarget(content, alias, expected)
        const next = withAlias(content, alias, name)
        tried = true
        return next
      })
    },
    async removeAlias(alias, { expected } = {}) {
      let removed: string | undefined
      await change((content) => {
        const target = own(content.aliases, alias)
        // An earlier try, whose answer was lost, has removed the alias. One that was set since must
        // stay.
        if (removed !== undefined && target !== removed) return content
        if (target === undefined)
          throw appError('alias_not_found', `there is no alias ${JSON.stringify(alias)}`)
        checkTarget(content, alias, expected)
        removed = target
        return withoutAlias(content, alias)
      })
    },
    async setEmbedding(collectionId, embedding) {
      const isStale = ({ collections }: Content): boolean =>
        Object.values(collections).some(
          (spec) =>
            spec.collectionId === collectionId && !isDeepStrictEqual(spec.embedding, embedding)
        )
      if (!isStale(await current(true))) return false
      await change((content) => {
        const spec = Object.values(content.collections).find(
          (one) => one.collectionId === collectionId
        )
        return spec === undefined
          ? content
          : {
              ...content,
              collections: { ...content.collections, [spec.name]: { ...spec, embedding } }
            }
      })
      return true
    },
    async forget(collectionId) {
      await change((content) => ({
        ...content,
        dropped: content.dropped.filter((entry) => entry.collectionId !== collectionId)
      }))
    },
    invalidate() {
      cached = undefined
    }
  }
}
