// Changes a collection of the catalogue: drops it, or updates the embedding.
import { isDeepStrictEqual } from 'node:util'
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { aliasesOf, type Content, lookUp, notFound, own, refuseAlias } from './catalog-content.ts'
import type { StoredCatalog } from './stored-catalog.ts'

export async function dropCollection(
  catalog: StoredCatalog,
  clock: Clock,
  name: string,
  { expected = '' }: { expected?: string } = {}
): Promise<{ collectionId: string }> {
  let collectionId = expected
  await catalog.change((content) => {
    const spec = own(content.collections, name)
    // An earlier try, whose answer was also lost, has dropped the collection. A new collection of
    // that name must stay.
    if (
      collectionId !== '' &&
      spec?.collectionId !== collectionId &&
      lookUp(content, name)?.collectionId !== collectionId
    )
      return content
    const found = mustBeDroppable(content, name, spec)
    collectionId = found.collectionId
    const { [name]: _gone, ...collections } = content.collections
    return {
      ...content,
      collections,
      dropped: [...content.dropped, { collectionId, atMs: clock.nowMs() }]
    }
  })
  return { collectionId }
}

function mustBeDroppable(
  content: Content,
  name: string,
  spec: CollectionSpec | undefined
): CollectionSpec {
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
  return spec
}

export async function setEmbedding(
  catalog: StoredCatalog,
  collectionId: string,
  embedding: EmbeddingSpec
): Promise<boolean> {
  const isStale = ({ collections }: Content): boolean =>
    Object.values(collections).some(
      (spec) => spec.collectionId === collectionId && !isDeepStrictEqual(spec.embedding, embedding)
    )
  if (!isStale(await catalog.current(true))) return false
  await catalog.change((content) => {
    const spec = Object.values(content.collections).find((one) => one.collectionId === collectionId)
    return spec === undefined
      ? content
      : {
          ...content,
          collections: { ...content.collections, [spec.name]: { ...spec, embedding } }
        }
  })
  return true
}

/** Called when the objects of the collection are deleted. */
export async function forgetDropped(catalog: StoredCatalog, collectionId: string): Promise<void> {
  await catalog.change((content) => ({
    ...content,
    dropped: content.dropped.filter((entry) => entry.collectionId !== collectionId)
  }))
}
