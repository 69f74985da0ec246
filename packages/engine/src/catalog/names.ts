// The names of collections and aliases: an object for each name, changed by compare-and-swap. Names
// and aliases share the keys, so one object decides what a name is. The object of a name is never
// deleted: an unconditional delete that comes late would take a newer collection with it.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import {
  collectionNameSchema,
  type CollectionSpec,
  collectionSpecSchema
} from '@likeness/shared/contract/collection'
import { catalogNameKey, catalogNamesPrefix } from '@likeness/shared/contract/keys'
import { toStored } from '@likeness/shared/contract/stored-names'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { type AppError, appError, isAppError } from '@likeness/shared/errors'
import type { DamagedName } from '../catalog-contract.ts'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryForRequest } from '@likeness/store/retry-store'

const readsAtOnce = 16
const written = { format: z.literal(1), writeId: z.string() }
const namedSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...written,
    kind: z.literal('collection'),
    spec: collectionSpecSchema,
    /** The collection is being dropped: the name leads nowhere any more. */
    dropping: z.boolean(),
    /**
     * Aliases that point here, or are about to: alias -> id of the attempt. A superset: a drop looks
     * at each of them.
     */
    claims: z.record(collectionNameSchema, z.string())
  }),
  z.strictObject({ ...written, kind: z.literal('alias'), target: collectionNameSchema }),
  z.strictObject({ ...written, kind: z.literal('free') })
])
type Stored = z.infer<typeof namedSchema>
export interface CollectionName {
  kind: 'collection'
  spec: CollectionSpec
  dropping: boolean
  claims: Record<string, string>
}
export type NameContent = CollectionName | { kind: 'alias'; target: string } | { kind: 'free' }
export interface FoundName {
  content: Stored
  etag: string
}

export interface NamesDeps {
  store: ObjectStore
  clock: Clock
  newId: () => string
}

export interface ListedNames {
  contents: Map<string, Stored>
  damaged: DamagedName[]
}

const isUnreadable = (error: unknown): error is AppError =>
  isAppError(error, 'data_corrupt') || isAppError(error, 'unsupported_store')

export class Names {
  private readonly deps: NamesDeps
  /** What was read last of each name that exists. */
  private seen = new Map<string, FoundName>()

  constructor(deps: NamesDeps) {
    this.deps = deps
  }

  async read(name: string): Promise<FoundName | undefined> {
    const { store, clock } = this.deps
    const key = catalogNameKey(name)
    const stored = await retryForRequest(clock, () => store.get(key))
    return stored && { content: decodeObject(namedSchema, key, stored.body), etag: stored.etag }
  }

  /**
   * Replaces what was found by `content`. Returns false when another process has changed the name
   * since. store_unavailable when the store fails for longer than a request waits; then the change
   * may have happened, and may be repeated.
   */
  async swap(name: string, found: FoundName | undefined, content: NameContent): Promise<boolean> {
    const { store, clock, newId } = this.deps
    const writeId = newId()
    const fields =
      content.kind === 'collection' ? { ...content, spec: toStored(content.spec) } : content
    const body = encodeObject({ ...fields, format: 1, writeId })
    const condition = found === undefined ? ({ create: true } as const) : { ifMatch: found.etag }
    const key = catalogNameKey(name)
    if ((await retryForRequest(clock, () => store.putIf(key, body, condition))) !== undefined)
      return true
    // The answer to an earlier try of this same write may have been lost.
    return (await this.read(name))?.content.writeId === writeId
  }

  /**
   * Replaces the content of a name by what `edit` makes of it, until no other process comes in
   * between. Returns false when `edit` returns undefined: there is nothing to change.
   */
  async change(
    name: string,
    edit: (content: Stored | undefined) => NameContent | undefined
  ): Promise<boolean> {
    for (;;) {
      const found = await this.read(name)
      const next = edit(found?.content)
      if (next === undefined) return false
      if (await this.swap(name, found, next)) return true
    }
  }

  /** Reads the aliases that are claimed, sorted: what each is, and whether it points at `name`. */
  async readClaimed(
    name: string,
    { claims }: CollectionName
  ): Promise<{ alias: string; found: FoundName | undefined; pointsHere: boolean }[]> {
    const aliases = Object.keys(claims).sort()
    return await Promise.all(
      aliases.map(async (alias) => {
        const found = await this.read(alias)
        const content = found?.content
        return { alias, found, pointsHere: content?.kind === 'alias' && content.target === name }
      })
    )
  }

  /** Reads all names: one listing, and the objects that changed since the last one. */
  async all(): Promise<ListedNames> {
    const { store, clock } = this.deps
    const listed = await retryForRequest(clock, () => toArray(store.list(catalogNamesPrefix)))
    const seen = new Map<string, FoundName>()
    const damaged: DamagedName[] = []
    const readings = mapInOrder(listed, readsAtOnce, async ({ key, etag }) => {
      const name = key.slice(catalogNamesPrefix.length)
      const known = this.seen.get(name)
      return { name, known, now: known?.etag === etag ? known : await this.readWhole(name) }
    })
    for await (const { name, known, now } of readings) {
      if (now instanceof Error) damaged.push({ name, error: now })
      // While an object is damaged, its name cannot change. So the last content is still good.
      const found = now instanceof Error ? known : now
      if (found !== undefined) seen.set(name, found)
    }
    this.seen = seen
    return { contents: new Map([...seen].map(([name, { content }]) => [name, content])), damaged }
  }

  /** Yields the names after `after` in their order, with their content. */
  async *after(after: string): AsyncIterable<{ name: string; content: Stored | AppError }> {
    const { store } = this.deps
    const keys = store.list(catalogNamesPrefix, { startAfter: catalogNameKey(after) })
    const names = mapInOrder(keys, readsAtOnce, async ({ key }) => {
      const name = key.slice(catalogNamesPrefix.length)
      return { name, found: await this.readWhole(name) }
    })
    for await (const { name, found } of names)
      if (found !== undefined)
        yield { name, content: found instanceof Error ? found : found.content }
  }

  /** Returns the error of an object that is damaged or of a newer version. */
  private async readWhole(name: string): Promise<FoundName | AppError | undefined> {
    try {
      return await this.read(name)
    } catch (error) {
      if (isUnreadable(error)) return error
      throw error
    }
  }
}

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const array: T[] = []
  for await (const item of items) array.push(item)
  return array
}

export const notFound = (name: string) =>
  appError('collection_not_found', `there is no collection ${JSON.stringify(name)}`)

/** Error where only the name of a collection is allowed. */
export const nameIsAlias = (name: string, target: string) =>
  appError('name_is_alias', `${JSON.stringify(name)} is an alias of ${JSON.stringify(target)}`, {
    detail: { collection: target }
  })

export const isOf = (
  content: Stored | undefined,
  collectionId: string
): content is Extract<Stored, { kind: 'collection' }> =>
  content?.kind === 'collection' && content.spec.collectionId === collectionId
