// Until 0.4 one object held all names. The first process of this program that needs a name moves them
// into an object each. Steps, each safe to repeat by any process at any time:
// 1. The old object is frozen by compare-and-swap. Programs before 0.4 refuse it from here on, so they
//    acknowledge nothing more, and its content cannot change.
// 2. Collections that were dropped are marked as dropped; each name gets its object, by create only.
//    Names are never deleted, so a copy that comes late cannot undo a change.
// 3. The old object is replaced by the mark that the names have moved.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { collectionNameSchema, collectionSpecSchema } from '@likeness/shared/contract/collection'
import { catalogKey } from '@likeness/shared/contract/keys'
import { fromStored, toStored } from '@likeness/shared/contract/stored-names'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { retryForRequest } from '@likeness/store/retry-store'
import type { CatalogParts } from './catalog-parts.ts'
import { dropCurrent } from './drop-current.ts'

const copiesAtOnce = 16
const content = {
  /** New with every write. */
  writeId: z.string(),
  collections: z.record(collectionNameSchema, collectionSpecSchema),
  /** Collection name of each alias. */
  aliases: z.record(z.string(), z.string()),
  dropped: z.array(
    z.strictObject({ incarnation: z.string(), atMs: z.number() }).transform(fromStored)
  )
}
const catalogSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal(1), ...content }),
  z.strictObject({ format: z.literal(2), ...content, frozenAtMs: z.number() }),
  z.strictObject({
    format: z.literal(3),
    writeId: z.string(),
    /** Time from which programs before 0.4 change nothing; null: the store is newer than that. */
    movedAtMs: z.number().nullable()
  })
])
type Catalog = z.infer<typeof catalogSchema>
type Frozen = Extract<Catalog, { format: 2 }>
export type Moved = Extract<Catalog, { format: 3 }>

const encode = (catalog: Catalog): Uint8Array =>
  encodeObject(
    catalog.format === 3
      ? catalog
      : {
          ...catalog,
          collections: Object.fromEntries(
            Object.entries(catalog.collections).map(([name, spec]) => [name, toStored(spec)])
          ),
          dropped: catalog.dropped.map(toStored)
        }
  )

/** Returns the mark. data_corrupt or unsupported_store while the object cannot be read. */
export async function moveCatalog(deps: CatalogParts): Promise<Moved> {
  const { store, clock, newId } = deps
  for (;;) {
    const stored = await retryForRequest(clock, () => store.get(catalogKey))
    const catalog = stored && decodeObject(catalogSchema, catalogKey, stored.body)
    if (catalog?.format === 3) return catalog
    if (catalog?.format === 2) await copyNames(deps, catalog)
    const next = encode(nextOf(catalog, newId(), clock.nowMs()))
    const condition = stored === undefined ? ({ create: true } as const) : { ifMatch: stored.etag }
    await retryForRequest(clock, () => store.putIf(catalogKey, next, condition))
  }
}

function nextOf(
  catalog: Exclude<Catalog, Moved> | undefined,
  writeId: string,
  nowMs: number
): Catalog {
  if (catalog === undefined) return { format: 3, writeId, movedAtMs: null }
  return catalog.format === 1
    ? { ...catalog, format: 2, writeId, frozenAtMs: nowMs }
    : { format: 3, writeId, movedAtMs: catalog.frozenAtMs }
}

async function copyNames(
  deps: CatalogParts,
  { collections, aliases, dropped }: Frozen
): Promise<void> {
  const { names, records } = deps
  const dropping = mapInOrder(dropped, copiesAtOnce, async ({ collectionId, atMs }) => {
    await records.write({ collectionId, state: 'dropping', name: null, atMs })
    await dropCurrent(deps, collectionId)
  })
  for await (const _done of dropping);
  const copies = mapInOrder(Object.entries(collections), copiesAtOnce, async ([name, spec]) => {
    const claims = Object.entries(aliases).flatMap(([alias, target]) =>
      target === name ? [[alias, 'moved'] as const] : []
    )
    await names.swap(name, undefined, {
      kind: 'collection',
      spec,
      dropping: false,
      claims: Object.fromEntries(claims)
    })
  })
  for await (const _done of copies);
  for (const [alias, target] of Object.entries(aliases))
    await names.swap(alias, undefined, { kind: 'alias', target })
}
