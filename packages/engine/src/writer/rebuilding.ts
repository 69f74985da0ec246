// Makes the state of a collection again from its base, log and batches, while the writer goes on.
import type { WriterState } from '../apply/writer-state.ts'
import { type FoundOrigin, originOf, takeNumbers } from '../rebuild/origin.ts'
import { replay } from '../rebuild/replay.ts'
import type { CollectionState } from './collection-state.ts'
import { endRebuilds } from './pending-rebuilds.ts'
import { replayDeps } from './writer-deps.ts'

/** Makes the collection up to a slot, without reading segment files of former versions. */
export async function replayed(
  collection: CollectionState,
  to: Parameters<typeof replay>[2]
): Promise<{ state: WriterState; origin: FoundOrigin }> {
  const deps = replayDeps(collection.deps, collection.fencedFiles())
  return await collection.fenced(async () => {
    const origin = await originOf(deps, collection.state)
    return { state: await replay(deps, collection.state.spec, { ...to, ...origin }), origin }
  })
}

/**
 * Commits the same content again as a new version. The files of the former version then become
 * garbage.
 */
export async function makeAgain(collection: CollectionState): Promise<void> {
  const { state: live, deps } = collection
  endRebuilds(live)
  const { ingestions, ended, pages, snapshots, results, reprojection, appliedSlot } = live
  const open = Object.fromEntries(
    [...ingestions.openAfter(0)].map(({ ingestion, open: { done } }) => [
      ingestion,
      done.toString()
    ])
  )
  const { state, origin } = await replayed(collection, {
    appliedSlot,
    open,
    findEnded: (revision) => collection.findEnded(revision)
  })
  takeNumbers(state, origin, live, deps.newId)
  const kept = {
    ingestions,
    ended,
    pages,
    snapshots,
    results,
    reprojection
  } satisfies Partial<WriterState>
  collection.state = Object.assign(state, kept)
  await collection.commit(null)
}
