// Of what a collection is made again, beside its log. A base that is damaged leaves the whole log and
// all batches, whose items then get other numbers.
import { isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import { type Base, readBase } from '../history/base.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { History } from '../state/history.ts'
import type { BatchToTake } from './take-batches.ts'

export interface Origin {
  base?: Base | undefined
  /** Batches that are in no pack, with their numbers. Absent: those that are listed, without. */
  loose?: readonly BatchToTake[] | undefined
}

/** `history` null: a program before 0.4 has made the collection. */
export async function originOf(
  { store, clock, signal, logger }: WorkSource & { logger: Logger },
  history: History | null,
  loose: readonly BatchToTake[]
): Promise<Origin> {
  if (history === null) return {}
  const { base } = history
  if (base === null) return { loose }
  try {
    return { base: await retryStore(clock, () => readBase(store, base), signal), loose }
  } catch (error) {
    if (!isAppError(error, 'data_corrupt') && !isAppError(error, 'object_not_found')) throw error
    logger.error({ err: error }, 'a base is damaged: the whole log is read')
    return {}
  }
}
