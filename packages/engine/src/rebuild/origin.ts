// Of what a collection is made again, beside its log. The base before takes the place of one that is
// damaged. Where nothing of the log was deleted, the whole log and all batches do as well; their items
// then get other numbers.
import type { AppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { looseBatches, type WriterState } from '../apply/writer-state.ts'
import { type Base, readBase } from '../base/base.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { BaseRef } from '../state/history.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import type { BatchToTake } from './take-batches.ts'
import { isLost } from '../state/read-state.ts'

/** How an ingestion has ended. `done`: its ordinals, as ranges. */
export type Ended = Pick<IngestionRecord, 'failed'> & { done?: string | undefined }
/** Returns how an ingestion has ended, where that is known. */
export type FindEnded = (revision: number) => Promise<Ended | undefined>

export interface Origin {
  findEnded?: FindEnded | undefined
  base?: Base | undefined
  /** Batches that are in no pack of the base, with their numbers. Absent: those that are listed. */
  loose?: readonly BatchToTake[] | undefined
  /** Whether the arrivals of the state that is made get other numbers than before. */
  isRenumbered?: boolean
}
export interface FoundOrigin extends Origin {
  isRenumbered: boolean
  /** The base that was read. */
  ref: BaseRef | null
}

/** What numbers the arrivals of a version. */
export type Numbered = Pick<WriterState, 'history' | 'batches'>

const wholeLog: FoundOrigin = { isRenumbered: true, ref: null }

/** Throws data_corrupt when the bases are damaged, and slots of the log are deleted. */
export async function originOf(
  { store, clock, signal, logger }: WorkSource & { logger: Logger },
  { history, batches }: Numbered
): Promise<FoundOrigin> {
  // A program before 0.4 has made the collection.
  if (history === null) return wholeLog
  const { base, previous, floor } = history
  const from = (ref: BaseRef | null): FoundOrigin => ({
    loose: looseBatches({ batches }, ref),
    isRenumbered: false,
    ref
  })
  if (base === null) return from(null)
  let damage: AppError | undefined
  for (const ref of [base, previous]) {
    if (ref === null) continue
    try {
      return { ...from(ref), base: await retryStore(clock, () => readBase(store, ref), signal) }
    } catch (error) {
      if (!isLost(error)) throw error
      logger.error({ err: error }, 'a base is damaged, and passed over')
      damage ??= error
    }
  }
  if (floor > 0) throw damage!
  return wholeLog
}

/** Gives a state that was made again the numbers of the live one; else it begins new ones. */
export function takeNumbers(
  state: WriterState,
  { isRenumbered, ref }: FoundOrigin,
  { history, batches }: Numbered,
  newId: () => string
): void {
  if (isRenumbered) {
    if (state.history !== null) state.history.numbering = newId()
    return
  }
  const isSame = history === null || history.base?.key === ref?.key
  state.history = isSame ? history : { ...history, base: ref, previous: null }
  state.batches = batches
}
