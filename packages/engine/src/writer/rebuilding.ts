// Makes the state of a collection again from log and batches alone, while the writer goes on.
import { looseBatches, numberedBy, type WriterState } from '../apply/writer-state.ts'
import { originOf } from '../rebuild/origin.ts'
import { replay } from '../rebuild/replay.ts'
import type { CollectionState } from './collection-state.ts'
import { endRebuilds } from './pending-rebuilds.ts'
import { replayDeps } from './writer-deps.ts'

/**
 * Makes the collection up to a slot, without reading segment files of former versions. `isRenumbered`:
 * its arrivals have other numbers than before.
 */
export async function replayed(
  collection: CollectionState,
  to: Parameters<typeof replay>[2]
): Promise<{ state: WriterState; isRenumbered: boolean }> {
  const deps = replayDeps(collection.deps, collection.fencedFiles())
  return await collection.fenced(async () => {
    const { state } = collection
    const origin = await originOf(deps, state.history, looseBatches(state))
    return {
      state: await replay(deps, state.spec, { ...to, ...origin }),
      isRenumbered: origin.loose === undefined
    }
  })
}

/**
 * Commits the same content again as a new version. The files of the former version then become
 * garbage.
 */
export async function makeAgain(collection: CollectionState): Promise<void> {
  endRebuilds(collection.state)
  const { ingestions, ended, pages, snapshots, results, reprojection, appliedSlot } =
    collection.state
  const numbered = numberedBy(collection.state)
  const open = Object.fromEntries(
    [...ingestions.openAfter(0)].map(({ ingestion, open: { done } }) => [
      ingestion,
      done.toString()
    ])
  )
  const { state, isRenumbered } = await replayed(collection, { appliedSlot, open })
  const kept = {
    ingestions,
    ended,
    pages,
    snapshots,
    results,
    reprojection,
    ...(!isRenumbered && numbered)
  } satisfies Partial<WriterState>
  collection.state = Object.assign(state, kept)
  await collection.commit(null)
}
