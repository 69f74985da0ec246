// Reads by a writer. Files of the committed version are only deleted by a writer that has replaced
// it. So a missing file mostly means that this process is no longer the writer.
import { appError, isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { type ProtocolContext, writerReplaced } from './commit-protocol.ts'
import { readCurrent } from './current.ts'

/**
 * Returns the result of `read`. When a file is missing, throws ownership_lost if CURRENT has
 * another epoch by now or is gone, otherwise data_corrupt.
 */
export async function readFenced<T>(
  { store, clock, currentKey, signal }: ProtocolContext,
  epoch: number,
  read: () => Promise<T>
): Promise<T> {
  try {
    return await retryStore(clock, read, signal)
  } catch (error) {
    if (!isAppError(error, 'object_not_found')) throw error
    const now = await retryStore(clock, () => readCurrent(store, currentKey), signal)
    if (now?.current.epoch === epoch)
      throw appError('data_corrupt', error.message, { cause: error })
    throw writerReplaced(currentKey, error)
  }
}
