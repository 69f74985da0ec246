// Names of collections: one small object changed by compare-and-swap. A collection is an incarnation behind a name; dropped ones are kept listed until swept.
import type { Clock } from '@likeness/shared/clock'
import { collectionNameSchema, collectionSpecSchema, formProblem } from '@likeness/shared/contract/collection'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { catalogKey, collectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { createUlid } from '@likeness/shared/ulid'
import { z } from 'zod'
import type { Catalog } from './contract.ts'
import { encodeCurrent } from './current.ts'
import { encodeManifest, sha256Hex } from './manifest.ts'
import type { Manifest } from './manifest.ts'
import { untilStored } from './store-retry.ts'

const catalogSchema = z.object({
  format: z.literal(1),
  /** New with every write: settles whose an ambiguous write was. */
  writeId: z.string(),
  collections: z.record(collectionNameSchema, collectionSpecSchema),
  /** alias -> name. */
  aliases: z.record(z.string(), z.string()),
  dropped: z.array(z.object({ incarnation: z.string(), atMs: z.number() }))
})
type CatalogFile = z.infer<typeof catalogSchema>
type Content = Omit<CatalogFile, 'format' | 'writeId'>

const draftSchema = collectionSpecSchema.omit({ incarnation: true, createdAtMs: true })

/** How long a name may be answered from memory. */
const maxAgeMs = 500

function emptyManifest(spec: CollectionSpec, commitId: string): Manifest {
  return {
    format: 1, seq: 0, epoch: 0, commitId, parent: null, createdAtMs: spec.createdAtMs, spec, appliedSlot: 0,
    ingestions: {}, segments: [], tombstones: null, relabels: null, sweeps: null, snapshots: {}, outcomes: [], compaction: null, quantizer: null, counts: { items: 0, rows: 0 }
  }
}

/** Manifest 0 and CURRENT of a new incarnation, before any name points at it. */
async function layFoundation(store: ObjectStore, spec: CollectionSpec, commitId: string): Promise<void> {
  const keys = collectionKeys(spec.incarnation)
  const body = encodeManifest(emptyManifest(spec, commitId))
  const manifest = keys.manifest(0, 0, commitId)
  await store.put(manifest, body)
  // Only if absent: a write of an earlier try may land when commits have been made. There already: an earlier try's, as good as this one.
  await store.putIf(keys.current, encodeCurrent({ format: 1, seq: 0, epoch: 0, commitId, manifest, sha256: sha256Hex(body), writeId: commitId }), { create: true })
}

export interface CatalogDeps {
  store: ObjectStore
  clock: Clock
  newId?: () => string
}

export function createCatalog({ store, clock, newId = () => createUlid(clock.nowMs()) }: CatalogDeps): Catalog {
  let cached: { content: Content; atMs: number } | undefined

  async function read(): Promise<{ file: CatalogFile | undefined; etag: string | undefined; content: Content }> {
    const stored = await store.get(catalogKey)
    if (stored === undefined) return { file: undefined, etag: undefined, content: { collections: {}, aliases: {}, dropped: [] } }
    const file = catalogSchema.parse(JSON.parse(Buffer.from(stored.body).toString('utf8')))
    return { file, etag: stored.etag, content: file }
  }

  async function current(fresh: boolean): Promise<Content> {
    if (!fresh && cached !== undefined && clock.nowMs() - cached.atMs < maxAgeMs) return cached.content
    const atMs = clock.nowMs()
    const { content } = await read()
    cached = { content, atMs }
    return content
  }

  /** Applies `edit` to the newest content until it lands; `edit` throws to refuse. */
  async function change(edit: (content: Content) => Content): Promise<void> {
    const writeId = newId()
    for (;;) {
      const { file, etag, content } = await untilStored(clock, read)
      // An earlier try of this very change landed although its answer was lost.
      if (file?.writeId === writeId) return
      const { collections, aliases, dropped } = edit(content)
      const body = Buffer.from(JSON.stringify({ format: 1, writeId, collections, aliases, dropped }))
      const written = await untilStored(clock, () => store.putIf(catalogKey, body, etag === undefined ? { create: true } : { ifMatch: etag }))
      cached = undefined
      if (written !== undefined) return
    }
  }

  /** Names are the users': `constructor` is one. */
  const own = <T>(record: Record<string, T>, name: string): T | undefined => (Object.hasOwn(record, name) ? record[name] : undefined)
  const notFound = (name: string) => appError('collection_not_found', `there is no collection ${JSON.stringify(name)}`)

  return {
    async resolve(name, { fresh = false } = {}) {
      const lookUp = ({ collections, aliases }: Content) => own(collections, name) ?? own(collections, own(aliases, name) ?? '')
      const spec = lookUp(await current(fresh)) ?? lookUp(await current(true))
      if (spec === undefined) throw notFound(name)
      return spec
    },
    async isLive(incarnation) {
      const { content } = await read()
      return Object.values(content.collections).some((spec) => spec.incarnation === incarnation)
    },
    async list({ fresh = false } = {}) {
      return Object.values((await current(fresh)).collections).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async dropped() {
      return (await read()).content.dropped.map(({ incarnation }) => incarnation)
    },
    async create(draft) {
      const wish = draftSchema.parse(draft)
      const problem = formProblem(wish)
      if (problem !== undefined) throw appError('invalid_request', problem)
      if (wish.metric === 'IP' && !wish.embedding.unit && wish.method === 'HNSW32') throw appError('invalid_request', 'HNSW32 with the inner product needs unit vectors; take L2 or cosine')
      const taken = () => appError('collection_exists', `there is already a collection ${JSON.stringify(wish.name)}`)
      if (own((await current(true)).collections, wish.name) !== undefined) throw taken()
      const nowMs = clock.nowMs()
      const spec: CollectionSpec = { ...wish, incarnation: newId(), createdAtMs: nowMs }
      await untilStored(clock, () => layFoundation(store, spec, newId()))
      await change((content) => {
        const there = own(content.collections, spec.name)
        // Ours already: an earlier try landed although its answer was lost, and somebody else wrote since.
        if (there?.incarnation === spec.incarnation) return content
        // Ours, and dropped by somebody since: it stays dropped.
        if (content.dropped.some(({ incarnation }) => incarnation === spec.incarnation)) return content
        if (there !== undefined || own(content.aliases, spec.name) !== undefined) throw taken()
        return { ...content, collections: { ...content.collections, [spec.name]: spec } }
      })
      return spec
    },
    async drop(name) {
      let incarnation = ''
      await change((content) => {
        const spec = own(content.collections, name)
        // Dropped already by an earlier try whose answer was lost; a new one of that name is not ours to drop.
        if (incarnation !== '' && spec?.incarnation !== incarnation) return content
        if (spec === undefined) throw notFound(name)
        incarnation = spec.incarnation
        const { [name]: _gone, ...collections } = content.collections
        const aliases = Object.fromEntries(Object.entries(content.aliases).filter(([, target]) => target !== name))
        return { ...content, collections, aliases, dropped: [...content.dropped, { incarnation, atMs: clock.nowMs() }] }
      })
      return { incarnation }
    },
    aliases: async ({ fresh = false } = {}) => ({ ...(await current(fresh)).aliases }),
    async setAlias(alias, name) {
      if (!collectionNameSchema.safeParse(alias).success) throw appError('invalid_name', `${JSON.stringify(alias)} is not a name that an alias can have`)
      await change((content) => {
        if (own(content.collections, name) === undefined) throw notFound(name)
        if (own(content.collections, alias) !== undefined) throw appError('collection_exists', `there is a collection ${JSON.stringify(alias)}: it cannot be an alias too`)
        return { ...content, aliases: { ...content.aliases, [alias]: name } }
      })
    },
    async removeAlias(alias) {
      let removed: string | undefined
      await change((content) => {
        const target = own(content.aliases, alias)
        // Gone by an earlier try whose answer was lost; one that was set since is not ours to remove.
        if (removed !== undefined && target !== removed) return content
        if (target === undefined) throw notFound(alias)
        removed = target
        const { [alias]: _gone, ...aliases } = content.aliases
        return { ...content, aliases }
      })
    },
    async forget(incarnation) {
      await change((content) => ({ ...content, dropped: content.dropped.filter((entry) => entry.incarnation !== incarnation) }))
    },
    invalidate() {
      cached = undefined
    }
  }
}
