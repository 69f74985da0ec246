// How new a version a reader asks for, and the wait until a replica serves it.
import { appError, isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import type { ReadOptions } from '../contract.ts'
import type { OpenCollectionReader } from '../search/collection-reader.ts'
import type { CollectionReplica } from './collection-replica.ts'

const waitStepMs = 25
/** Greatest age of a `bounded` answer, in polls. */
const boundedPolls = 2

export interface FreshnessDeps {
  clock: Clock
  pollMs: number
}

const satisfies = (reader: OpenCollectionReader, options: ReadOptions): boolean =>
  reader.seq >= (options.minSeq ?? 0) && reader.appliedSlot >= (options.minSlot ?? 0)

function mustRead(
  { clock, pollMs }: FreshnessDeps,
  collection: CollectionReplica,
  { consistency }: ReadOptions
): boolean {
  if (collection.current === undefined || consistency === 'strong') return true
  return consistency === 'bounded' && clock.nowMs() - collection.checkedAtMs > boundedPolls * pollMs
}

async function refreshWithin(
  clock: Clock,
  collection: CollectionReplica,
  timeoutMs: number
): Promise<void> {
  const late = clock.sleep(timeoutMs).then(() => {
    throw appError('replica_behind', 'this replica could not load the newest version in time', {
      retryAfterS: 1
    })
  })
  await Promise.race([collection.refresh(), late])
}

async function waitFor(
  clock: Clock,
  collection: CollectionReplica,
  options: ReadOptions,
  deadlineMs: number
): Promise<OpenCollectionReader> {
  for (;;) {
    const reader = collection.current
    if (reader !== undefined && satisfies(reader, options)) return reader.retain()
    if (clock.nowMs() >= deadlineMs) {
      throw appError(
        'not_fresh',
        `this replica serves seq ${reader?.seq ?? 'none'} and not yet what was asked for`,
        { retryAfterS: 1, detail: { index_seq: reader?.seq ?? null } }
      )
    }
    await clock.sleep(waitStepMs)
    await collection.refresh()
  }
}

/**
 * Without room on its own disk a replica cannot load a new version. Then a `bounded` read gets the
 * last one: the answer names its seq, and the alarm tells why.
 */
const mayServeLast = (
  { current }: CollectionReplica,
  { consistency }: ReadOptions,
  error: unknown
): boolean =>
  consistency === 'bounded' &&
  current !== undefined &&
  !isAppError(error) &&
  findMachineFailure(error) !== undefined

/** A version that is as new as was asked for; retained. not_fresh, replica_behind. */
export async function readFreshEnough(
  deps: FreshnessDeps,
  collection: CollectionReplica,
  options: ReadOptions,
  deadlineMs: number
): Promise<OpenCollectionReader> {
  const { clock } = deps
  try {
    if (mustRead(deps, collection, options))
      await refreshWithin(clock, collection, options.timeoutMs)
  } catch (error) {
    if (!mayServeLast(collection, options, error)) throw error
  }
  return await waitFor(clock, collection, options, deadlineMs)
}
