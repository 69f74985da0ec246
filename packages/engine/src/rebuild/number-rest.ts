// Numbers the batches that had no effect in a state that was made again: what a restore has taken away
// may be in a snapshot, which finds its items among all that were accepted.
import { isSharedBatchKey, parseBatchKey } from '@likeness/shared/contract/keys'
import { newestSlot } from '@likeness/shared/contract/shared-batch'
import { isShared } from '@likeness/shared/contract/vector-batch'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { isAppError } from '@likeness/shared/errors'
import type { WriterState } from '../apply/writer-state.ts'
import { readBatch } from '../log/read-batches.ts'
import { arrivalKey, type LooseBatch } from '../state/history.ts'
import { listBatches, readsAhead, type TakingDeps } from './take-batches.ts'

/** `revisions`: of the ingestions that were accepted. A batch that is damaged is passed over. */
export async function numberRest(
  deps: TakingDeps,
  state: WriterState,
  revisions: ReadonlyMap<string, number>
): Promise<void> {
  const { history, batches } = state
  if (history === null) return
  const numbered = new Set([...batches].map(([, { key }]) => key))
  const look = async ({ key }: { key: string }) =>
    numbered.has(key) ? undefined : await describe(deps, state, { key, revisions })
  for await (const found of mapInOrder(listBatches(deps), readsAhead, look)) {
    if (found === undefined) continue
    const first = history.lastArrival + 1
    history.lastArrival += found.items
    batches.set(arrivalKey(first), { first, ...found })
  }
}

async function describe(
  deps: TakingDeps,
  { spec, appliedSlot }: WriterState,
  { key, revisions }: { key: string; revisions: ReadonlyMap<string, number> }
): Promise<Omit<LooseBatch, 'first'> | undefined> {
  const revision = revisions.get(parseBatchKey(key)?.ingestion ?? '')
  if (!isSharedBatchKey(key) && revision === undefined) return undefined
  try {
    const read = await readBatch(deps, spec, key)
    if (read === undefined) return undefined
    const { header } = read.batch
    const bytes = read.sizeBytes
    if (!isShared(header)) return { key, revision: revision!, items: header.items.length, bytes }
    const isEarly = newestSlot(header) > appliedSlot
    return isEarly ? undefined : { key, revision: null, items: header.items.length, bytes }
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    return undefined
  }
}
