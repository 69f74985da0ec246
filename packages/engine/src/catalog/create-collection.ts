// Creates a collection: first everything except the name, then the name.
import {
  type CollectionDraft,
  type CollectionSpec,
  draftSchema,
  specProblem
} from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryForRequest } from '@likeness/store/retry-store'
import { encodeCurrent } from '../version/current.ts'
import { emptyManifest, encodeManifest } from '../version/manifest.ts'
import { own, refuseAlias } from './catalog-content.ts'
import type { StoredCatalog, StoredCatalogDeps } from './stored-catalog.ts'

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

export async function prepareCollection(
  catalog: StoredCatalog,
  { store, clock, newId }: StoredCatalogDeps,
  draft: CollectionDraft
): Promise<CollectionSpec> {
  const options = checked(draft)
  const now = await catalog.current(true)
  refuseAlias(now, options.name)
  if (own(now.collections, options.name) !== undefined) throw taken(options.name)
  const spec: CollectionSpec = { ...options, collectionId: newId(), createdAtMs: clock.nowMs() }
  await retryForRequest(clock, () => layFoundation(store, spec, newId()))
  return spec
}

/** Half of the shortest retention of files without a name. */
const usuallyWithinMs = 1_800_000

/**
 * upload_expired when the files of the collection may be deleted already, or will be soon. Every try
 * looks at the clock again: this process may have stood still.
 */
export async function publishCollection(
  catalog: StoredCatalog,
  { clock }: Pick<StoredCatalogDeps, 'clock'>,
  spec: CollectionSpec,
  { withinMs = usuallyWithinMs }: { withinMs?: number } = {}
): Promise<void> {
  await catalog.change((content) => {
    const there = own(content.collections, spec.name)
    // The name is already ours. An earlier try succeeded although its answer was lost, and another
    // process has written since.
    if (there?.collectionId === spec.collectionId) return content
    // The collection is ours, and another process has dropped it since. So the collection stays
    // dropped.
    if (content.dropped.some(({ collectionId }) => collectionId === spec.collectionId))
      return content
    refuseAlias(content, spec.name)
    if (there !== undefined) throw taken(spec.name)
    if (clock.nowMs() - spec.createdAtMs > withinMs)
      throw appError(
        'upload_expired',
        `the collection ${JSON.stringify(spec.name)} was not named in time, and what was stored for it may be gone: send the request again`
      )
    return { ...content, collections: { ...content.collections, [spec.name]: spec } }
  })
}
