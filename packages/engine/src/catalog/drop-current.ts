// The moment at which nothing is accepted for a collection any more: CURRENT says that it is dropped.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { isAppError } from '@likeness/shared/errors'
import { retryForRequest } from '@likeness/store/retry-store'
import {
  type Current,
  encodeCurrent,
  isDropped,
  readCurrent,
  readLive,
  withState
} from '../version/current.ts'
import type { NamesDeps } from './names.ts'

/** Stands for the content of a damaged CURRENT, of which nothing but the drop is needed. */
const nothing: Current = {
  format: 1,
  seq: 0,
  epoch: 0,
  commitId: '',
  manifest: '',
  sha256: '',
  writeId: ''
}

/** Safe to repeat. The writer's next commit fails. */
export async function dropCurrent(
  { store, clock, newId }: NamesDeps,
  collectionId: string
): Promise<void> {
  const key = collectionKeys(collectionId).current
  for (;;) {
    const found = await retryForRequest(clock, async () => {
      try {
        return await readCurrent(store, key)
      } catch (error) {
        if (!isAppError(error, 'data_corrupt')) throw error
        const stored = await store.get(key)
        return stored && { current: nothing, etag: stored.etag }
      }
    })
    if (found === undefined || isDropped(found.current)) return
    const next = withState({ ...found.current, writeId: newId() }, { dropped: true })
    const written = await retryForRequest(clock, () =>
      store.putIf(key, encodeCurrent(next), { ifMatch: found.etag })
    )
    if (written !== undefined) return
  }
}

/** Whether operations of a collection are accepted. A damaged CURRENT is one that can be repaired. */
export async function isLive(
  { store, clock }: Pick<NamesDeps, 'store' | 'clock'>,
  collectionId: string
): Promise<boolean> {
  const { current } = collectionKeys(collectionId)
  return (await retryForRequest(clock, () => readLive(store, current))) !== undefined
}
