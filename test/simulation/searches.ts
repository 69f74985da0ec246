// Searches of the log for operations that were acknowledged: each is found, whatever was folded since.
import { isAppError } from '@likeness/shared/errors'
import type { ApiProcess, Appended } from './api-process.ts'
import type { Truth } from './truth.ts'
import { Violation } from './violation.ts'
import { unlessUnavailable } from './world.ts'

/** An operation that was acknowledged, and the end of the log before it was sent first. */
export interface Acknowledged {
  opId: string
  revision: number
  tailSlot: number
}

/** A search finds what was acknowledged, a while ago or now, whatever was folded since. */
export async function checkFound(api: ApiProcess, truth: Truth, now: Acknowledged): Promise<void> {
  truth.searched.push(now)
  const { opId, tailSlot, revision } = truth.searched[truth.searched.length >> 1]!
  const search = () => api.appender.find(truth.collectionId, opId, tailSlot)
  const found = await answered(search)
  if (found !== undefined && found.place?.revision !== revision && !truth.mayBeDropped)
    throw new Violation('effect', `${opId} at revision ${revision} is not found again`)
}

/** Returns undefined without an answer. */
async function answered(search: () => Promise<Appended | undefined>) {
  return await unlessUnavailable(async () => {
    try {
      return { place: await search() }
    } catch (error) {
      // The collection was dropped meanwhile.
      if (isAppError(error, 'collection_not_found')) return undefined
      throw error
    }
  })
}
