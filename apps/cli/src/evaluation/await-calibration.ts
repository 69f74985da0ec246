// Waits until a collection has learned how sure its answers are.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../api/api-client.ts'

const longestMs = 120_000
const pauseMs = 250
/** Fewer items are not learned from. */
const fewestItems = 24
/** The last ones may come after it was learned, and are too few to learn it again. */
const mostOf = 1.1

/** Returns false when that took too long: answers then go by what was learned before. */
export async function awaitCalibration(
  api: Pick<ApiClient, 'getCollection'>,
  name: string
): Promise<boolean> {
  for (const untilMs = Date.now() + longestMs; Date.now() < untilMs; await sleep(pauseMs)) {
    const collection = await api.getCollection(name)
    if (collection === undefined) return false
    const { items, calibration } = collection
    if (items < fewestItems) return true
    const isOf = calibration.learned_at !== null
    if (isOf && items < mostOf * calibration.items && calibration.items < mostOf * items)
      return true
  }
  return false
}
