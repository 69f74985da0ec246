// Reads of an owner. Files of the committed version are only ever deleted by an owner that has replaced it, so a missing one mostly means: not ours any more.
import { appError, isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { type ProtocolContext, writerReplaced } from './commit-protocol.ts'
import { readCurrent } from './current.ts'

/** What `read` answers; when a file is missing, ownership_lost if CURRENT has another epoch by now or is gone, else data_corrupt. */
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
