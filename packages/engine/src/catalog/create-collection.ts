// Creates a collection: first everything except the name, then the name.
import {
  type CollectionDraft,
  type CollectionSpec,
  draftSchema
} from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { specProblem } from '@likeness/shared/contract/spec-problem'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryForRequest } from '@likeness/store/retry-store'
import { encodeCurrent, withState } from '../version/current.ts'
import { emptyManifest, encodeManifest } from '../version/manifest.ts'
import type { CatalogParts } from './catalog-parts.ts'
import { finishDrop } from './change-collection.ts'
import { isLive } from './drop-current.ts'
import { type FoundName, isOf, nameIsAlias } from './names.ts'

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
    encodeCurrent(
      withState({
        format: 1,
        seq: 0,
        epoch: 0,
        commitId,
        manifest,
        sha256: sha256Hex(body),
        writeId: commitId
      })
    ),
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

export async function prepareCollection(
  parts: CatalogParts,
  draft: CollectionDraft
): Promise<CollectionSpec> {
  const { names, records, store, clock, newId } = parts
  const options = checked(draft)
  const { name } = options
  refuseTaken(name, (await names.read(name))?.content)
  const createdAtMs = clock.nowMs()
  const spec: CollectionSpec = { ...options, collectionId: newId(), createdAtMs }
  const { collectionId } = spec
  await records.write({ collectionId, state: 'making', name, atMs: createdAtMs })
  await retryForRequest(clock, () => layFoundation(store, spec, newId()))
  return spec
}

/** A name whose collection is being dropped is free soon. */
function refuseTaken(name: string, content: FoundName['content'] | undefined): void {
  if (content?.kind === 'alias') throw nameIsAlias(name, content.target)
  if (content?.kind === 'collection' && !content.dropping)
    throw appError('collection_exists', `there is already a collection ${JSON.stringify(name)}`)
}

/** Half of the shortest retention of files without a name. */
const usuallyWithinMs = 1_800_000

const expired = (name: string) =>
  appError(
    'upload_expired',
    `the collection ${JSON.stringify(name)} was not named in time, and what was stored for it may be gone: send the request again`
  )

/**
 * upload_expired when the files of the collection may be deleted already, or will be soon. Every try
 * looks at the clock again: this process may have stood still.
 */
export async function publishCollection(
  parts: CatalogParts,
  spec: CollectionSpec,
  { withinMs = usuallyWithinMs }: { withinMs?: number } = {}
): Promise<void> {
  const { names, clock } = parts
  const { name, collectionId, createdAtMs } = spec
  for (;;) {
    const found = await names.read(name)
    const content = found?.content
    // The name is already ours. An earlier try succeeded although its answer was lost.
    if (content?.kind === 'collection' && content.spec.collectionId === collectionId) break
    const isLate = clock.nowMs() - createdAtMs > withinMs
    if (!(await isLive(parts, collectionId))) {
      if (isLate) throw expired(name)
      // The collection was ours, and another process has dropped it since. So it stays dropped.
      return
    }
    refuseTaken(name, content)
    if (isLate) throw expired(name)
    if (content?.kind === 'collection') {
      await finishDrop(parts, name, content.spec.collectionId)
      continue
    }
    const named = { kind: 'collection', spec, dropping: false, claims: {} } as const
    if (!(await names.swap(name, found, named))) continue
    // This process may have stood still between the clock and the name, and the sweep was faster.
    if (!(await isLive(parts, collectionId)) && (await freeName(parts, spec))) throw expired(name)
    break
  }
  await removeRecord(parts, collectionId)
}

/** The collection has its name. A record that cannot be removed now is removed by the sweep. */
async function removeRecord({ records }: CatalogParts, collectionId: string): Promise<void> {
  try {
    await records.remove(collectionId, 'making')
  } catch (error) {
    if (!isAppError(error, 'store_unavailable')) throw error
  }
}

/** Returns false when the name is not ours any more, or its drop is under way. */
const freeName = (
  { names }: CatalogParts,
  { name, collectionId }: CollectionSpec
): Promise<boolean> =>
  names.change(name, (content) =>
    isOf(content, collectionId) && !content.dropping ? { kind: 'free' } : undefined
  )
