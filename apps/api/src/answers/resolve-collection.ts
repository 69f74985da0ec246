// Finds the collection for the name in a path.
import type { Catalog } from '@likeness/engine/catalog-contract'
import { collectionNameSchema, type CollectionSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'

/** collection_not_found, also for a text that cannot be a name. */
export async function resolveCollection(
  { catalog }: { catalog: Catalog },
  name: string,
  options?: { fresh?: boolean }
): Promise<CollectionSpec> {
  if (!collectionNameSchema.safeParse(name).success)
    throw appError('collection_not_found', 'no collection has this name')
  return catalog.resolve(name, options)
}
