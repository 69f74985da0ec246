// A calibrated threshold that is not used any more, because it belongs to another gallery.
import type { DroppedReason } from '@likeness/shared/contract/calibrated-threshold'
import type { CollectionCheck } from '../check.ts'

const changes: Record<DroppedReason, string> = {
  embedding: 'the embedding is another one',
  weights: 'the weights of the parts are others',
  cohort_weight: 'cohort_weight is another one',
  items: 'the gallery has half or twice the items'
}

export const droppedThreshold: CollectionCheck = {
  id: 'dropped-threshold',
  complaint: 'wrong',
  examine({ collection: { name, threshold } }) {
    const { dropped } = threshold
    if (dropped === null) return Promise.resolve(undefined)
    return Promise.resolve({
      found: `the calibrated threshold is not used: ${changes[dropped]}`,
      says: 'Nothing is refused until it is chosen anew: strangers get answers.',
      type: [`likeness calibrate ${name} --apply`]
    })
  }
}
