// Finds the collection ids whose objects are to be deleted: of dropped collections, and of those that
// never got a name because a process died while it made them.
import type { Unwanted } from '../catalog-contract.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { finishDrop } from './change-collection.ts'
import { dropCurrent } from './drop-current.ts'
import { isOf } from './names.ts'
import type { IncarnationRecord } from './records.ts'

/** Age at which the record of a drop counts as refused: an alias was faster. */
const refusedAfterMs = 86_400_000

/**
 * `unnamedAfterMs`: age at which a collection without a name counts as given up. A name is given up
 * to half of that age only (publishCollection), so clocks may differ.
 */
export async function findUnwanted(
  parts: CatalogParts,
  { unnamedAfterMs }: { unnamedAfterMs: number }
): Promise<Unwanted> {
  const found = new Map<string, boolean>()
  const damaged: unknown[] = []
  for await (const read of parts.records.all()) {
    try {
      const record = await read()
      if (record !== undefined && (await settle(parts, record, unnamedAfterMs)))
        found.set(record.collectionId, record.state === 'dropping')
    } catch (error) {
      damaged.push(error)
    }
  }
  const collections = [...found].map(([collectionId, isNamed]) => ({ collectionId, isNamed }))
  return { collections, damaged }
}

/** Finishes what a process left half done. Returns whether the collection is dropped. */
async function settle(
  parts: CatalogParts,
  { collectionId, state, name, atMs }: IncarnationRecord,
  unnamedAfterMs: number
): Promise<boolean> {
  const ageMs = parts.clock.nowMs() - atMs
  if (state === 'making' && ageMs <= unnamedAfterMs) return false
  const content = name === null ? undefined : (await parts.names.read(name))?.content
  if (!isOf(content, collectionId)) {
    await dropCurrent(parts, collectionId)
    return true
  }
  if (content.dropping) {
    await finishDrop(parts, content.spec.name, collectionId)
    return true
  }
  // The collection lives: its record was left behind by its creation, or by a drop that was refused.
  if (state === 'making' || ageMs > refusedAfterMs) await parts.records.remove(collectionId, state)
  return false
}
