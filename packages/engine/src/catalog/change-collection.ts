// Changes a collection of the catalogue: drops it, or updates what its newest version says.
import { isDeepStrictEqual } from 'node:util'
import { appError } from '@likeness/shared/errors'
import type { ListedState } from '../catalog-contract.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { dropCurrent } from './drop-current.ts'
import { type CollectionName, isOf, nameIsAlias, notFound } from './names.ts'

/**
 * Steps: the record, the name says that it leads nowhere, CURRENT says that nothing is accepted, the
 * name is free. Whoever meets a name between these steps finishes them.
 */
export async function dropCollection(
  parts: CatalogParts,
  name: string,
  { expected }: { expected?: string } = {}
): Promise<{ collectionId: string }> {
  const { names } = parts
  for (let collectionId = expected; ; ) {
    const found = await names.read(name)
    const content = found?.content
    if (collectionId !== undefined && !isOf(content, collectionId)) {
      // An earlier try has dropped the collection. A new collection of that name must stay.
      if (
        content?.kind === 'alias' &&
        isOf((await names.read(content.target))?.content, collectionId)
      )
        throw nameIsAlias(name, content.target)
      return { collectionId }
    }
    if (content?.kind === 'alias') throw nameIsAlias(name, content.target)
    if (content?.kind !== 'collection') throw notFound(name)
    collectionId = content.spec.collectionId
    if (!content.dropping) {
      if (!(await breakClaims(parts, name, content))) continue
      await writeRecord(parts, name, collectionId)
      if (!(await names.swap(name, found, { ...content, dropping: true, claims: {} }))) continue
    }
    await finishDrop(parts, name, collectionId)
    return { collectionId }
  }
}

/** Safe to repeat, also by another process, once the name says that the collection is dropped. */
export async function finishDrop(
  parts: CatalogParts,
  name: string,
  collectionId: string
): Promise<void> {
  const { names } = parts
  // Again: a sweep may have taken the first one for a record of a drop that was refused.
  await writeRecord(parts, name, collectionId)
  await dropCurrent(parts, collectionId)
  await names.change(name, (content) =>
    isOf(content, collectionId) && content.dropping ? { kind: 'free' } : undefined
  )
}

const writeRecord = ({ records, clock }: CatalogParts, name: string, collectionId: string) =>
  records.write({ collectionId, state: 'dropping', name, atMs: clock.nowMs() })

/**
 * Breaks the claims of aliases that point elsewhere: a process that stands between its claim and its
 * change of the alias must begin again. Returns false when such a process was faster. Throws
 * collection_has_aliases.
 */
async function breakClaims(
  { names }: CatalogParts,
  name: string,
  collection: CollectionName
): Promise<boolean> {
  const claimed = await names.readClaimed(name, collection)
  const pointing = claimed.filter(({ pointsHere }) => pointsHere).map(({ alias }) => alias)
  if (pointing.length > 0)
    throw appError(
      'collection_has_aliases',
      `${JSON.stringify(name)} is what ${pointing.join(', ')} point at: move or remove them first`,
      { detail: { aliases: pointing } }
    )
  for (const { alias, found } of claimed)
    if (!(await names.swap(alias, found, found?.content ?? { kind: 'free' }))) return false
  return true
}

/** Returns whether any of it was new. A collection that is dropped is left unchanged. */
export async function setListed(
  { names }: CatalogParts,
  { name, collectionId, embedding, settings: { pinned } }: ListedState
): Promise<boolean> {
  return await names.change(name, (content) => {
    if (!isOf(content, collectionId) || content.dropping) return undefined
    const { spec } = content
    if (spec.settings.pinned === pinned && isDeepStrictEqual(spec.embedding, embedding))
      return undefined
    return { ...content, spec: { ...spec, embedding, settings: { ...spec.settings, pinned } } }
  })
}
