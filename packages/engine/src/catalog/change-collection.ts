// Changes a collection of the catalogue: drops it, or updates the embedding.
import { isDeepStrictEqual } from 'node:util'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
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
  for (;;) {
    const found = await names.read(name)
    if (!isOf(found?.content, collectionId) || !found?.content.dropping) return
    if (await names.swap(name, found, { kind: 'free' })) return
  }
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
  { claims }: CollectionName
): Promise<boolean> {
  const aliases = Object.keys(claims).sort()
  const found = await Promise.all(aliases.map((alias) => names.read(alias)))
  const pointing = aliases.filter((_, at) => {
    const content = found[at]?.content
    return content?.kind === 'alias' && content.target === name
  })
  if (pointing.length > 0)
    throw appError(
      'collection_has_aliases',
      `${JSON.stringify(name)} is what ${pointing.join(', ')} point at: move or remove them first`,
      { detail: { aliases: pointing } }
    )
  for (const [at, alias] of aliases.entries())
    if (!(await names.swap(alias, found[at], found[at]?.content ?? { kind: 'free' }))) return false
  return true
}

/** Returns whether the embedding was new. A collection that is dropped is left unchanged. */
export async function setEmbedding(
  { names }: CatalogParts,
  {
    name,
    collectionId,
    embedding
  }: { name: string; collectionId: string; embedding: EmbeddingSpec }
): Promise<boolean> {
  for (;;) {
    const found = await names.read(name)
    const content = found?.content
    if (!isOf(content, collectionId) || content.dropping) return false
    if (isDeepStrictEqual(content.spec.embedding, embedding)) return false
    if (await names.swap(name, found, { ...content, spec: { ...content.spec, embedding } }))
      return true
  }
}
