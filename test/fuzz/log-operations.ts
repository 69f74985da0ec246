// Fuzzes the log of a collection: operations of right form and odd content come in as the api
// appends them, and as an older program wrote them. No operation stops the collection, every
// accepted one has its effect, and a rebuild decides the same.
import { isDeepStrictEqual } from 'node:util'
import { createGallery, type Gallery } from '@likeness/engine/testing/gallery'
import { itemsFrom } from '@likeness/engine/testing/test-items'
import { encodeObject } from '@likeness/shared/contract/checked-object'
import { maxOperationBytes } from '@likeness/shared/contract/limits'
import { decodeLogSlot, type Operation } from '@likeness/shared/contract/operation'
import { createUlid } from '@likeness/shared/data/ulid'
import { isAppError } from '@likeness/shared/errors'
import { type Draw, drawFrom } from './odd-values.ts'

export interface LogFuzzResult {
  accepted: number
  /** Refused by the append, by code. */
  refused: Record<string, number>
  /** Put into the log as an older program would. */
  old: number
}

const kinds: Record<string, (draw: Draw) => Record<string, unknown>> = {
  delete: (draw) => ({ ids: someIds(draw) }),
  relabel: (draw) => ({
    ids: someIds(draw),
    ...(draw.chance() < 0.7 && { label: draw.pick([draw.text(), null]) }),
    ...(draw.chance() < 0.7 && { metadata: draw.metadata() })
  }),
  delete_where: (draw) => ({ filter: draw.filter() }),
  take_snapshot: (draw) => ({ name: draw.pick(['s1', 's2', draw.text()]) }),
  drop_snapshot: (draw) => ({ name: draw.pick(['s1', 's2', draw.text()]) }),
  configure: (draw) => ({
    settings: { [draw.pick(['search_budget', 'score_thres', 'pinned'])]: draw.scalar() }
  }),
  compact: () => ({})
}
const someIds = (draw: Draw): string[] =>
  Array.from({ length: draw.pick([0, 1, 2, 50]) }, () =>
    draw.pick([`item-${1 + draw.below(20)}`, draw.text()])
  )

function drawOperation(draw: Draw): Record<string, unknown> {
  const kind = draw.pick(Object.keys(kinds))
  const operation = { ...kinds[kind]!(draw), kind, opId: createUlid(), atMs: draw.below(1e6) }
  if (draw.chance() > 0.3) return operation
  // Kind and id stay: another kind is of a newer program, which does stop its readers.
  const { kind: _kind, opId, atMs, ...content } = operation
  const mutated = draw.mutate(content) as object | null
  const known = Object.entries(mutated ?? {}).filter(([key]) => key in content)
  return { ...Object.fromEntries(known), kind, opId, atMs }
}

async function contentOf({ replica, spec }: Gallery): Promise<unknown> {
  const reader = await replica.acquire(spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  try {
    const items = []
    for await (const { id, label, metadata } of reader.scroll()) items.push({ id, label, metadata })
    return items.sort((a, b) => (a.id < b.id ? -1 : 1))
  } finally {
    reader.release()
  }
}

/** Throws when an operation stops the collection, or a rebuild has another content. */
export async function fuzzLog(seed: number, operations: number): Promise<LogFuzzResult> {
  const draw = drawFrom(seed)
  const gallery = await createGallery({ sealThreshold: 16 })
  const result: LogFuzzResult = { accepted: 0, refused: {}, old: 0 }
  try {
    let writer = await gallery.openWriter()
    await gallery.add(writer, itemsFrom(1, 20))
    // Stays open, so that tombstones, updates and filters wait for its items.
    const open = await gallery.accept(itemsFrom(10, 20))
    for (let n = 0; n < operations; n++) {
      const operation = drawOperation(draw)
      if (draw.chance() < 0.3) await writeOld(gallery, operation, result)
      else await append(gallery, operation, result)
      if (draw.chance() < 0.2) await settle(writer)
      if (draw.chance() < 0.05) writer = await gallery.openWriter()
    }
    await gallery.embed(open.ingestion, itemsFrom(10, 20))
    await settle(writer)
    const last = await gallery.remove('last')
    await settle(writer)
    if (writer.appliedSlot < Math.floor(last / 1024))
      throw new Error(`slot ${Math.floor(last / 1024)} is not applied, only ${writer.appliedSlot}`)
    const content = await contentOf(gallery)
    await (await gallery.openWriter()).rebuild()
    if (!isDeepStrictEqual(await contentOf(gallery), content))
      throw new Error('the rebuilt collection has another content')
    return result
  } catch (error) {
    throw new Error(`seed ${seed}, ${operations} operations`, { cause: error })
  } finally {
    await gallery.close()
  }
}

async function settle(writer: Awaited<ReturnType<Gallery['openWriter']>>): Promise<void> {
  while ((await writer.step({ list: true })).more);
  while (await writer.merge());
  await writer.collect()
}

async function append(
  { appender, spec }: Gallery,
  operation: Record<string, unknown>,
  result: LogFuzzResult
): Promise<void> {
  try {
    await appender.append(spec.collectionId, operation as unknown as Operation)
    result.accepted++
  } catch (error) {
    if (!isAppError(error)) throw error
    result.refused[error.code] = (result.refused[error.code] ?? 0) + 1
  }
}

/** An unknown field inside is of a newer program, which does stop its readers. */
function isOfNewer(body: Uint8Array): boolean {
  try {
    decodeLogSlot('slot', body)
    return false
  } catch (error) {
    if (isAppError(error, 'unsupported_store')) return true
    throw error
  }
}

async function writeOld(
  { appender, spec, store, keys }: Gallery,
  operation: Record<string, unknown>,
  result: LogFuzzResult
): Promise<void> {
  const slot = (await appender.tail(spec.collectionId)) + 1
  const body = encodeObject({ format: 1, operations: [operation] })
  if (body.byteLength > maxOperationBytes || isOfNewer(body)) return
  await store.putIf(keys.logSlot(slot), body, { create: true })
  result.old++
}
