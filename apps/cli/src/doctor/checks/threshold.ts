// A threshold that hides right answers.
import { standingOf } from '@likeness/shared/contract/margin'
import type { CollectionCheck } from '../check.ts'
import { changeSettings } from '../commands.ts'
import { firstOf, isRight } from '../facts/ask-neighbours.ts'

const mostHidden = 0.1
const fewest = 3

export const threshold: CollectionCheck = {
  id: 'threshold',
  complaint: 'wrong',
  async examine({ api, collection, facts }) {
    const { name, settings, threshold: used } = collection
    const { score_thres: lowest, from } = used
    if (lowest === null) return undefined
    const right = (await facts.neighbourhoods()).filter(isRight)
    const hidden = right.filter((one) => standingOf(firstOf(one)!) < lowest)
    // Who calibrated it knew what it refuses.
    const known = from === 'calibration' ? falseRejectOf(settings) : 0
    if (hidden.length < fewest || hidden.length <= (known + mostHidden) * right.length)
      return undefined
    return {
      found: `score_thres ${lowest} hides ${hidden.length} of ${right.length} right answers`,
      says: 'Items of the gallery are near enough to others of their label to be found, and the threshold leaves them out. Choose one by how many strangers pass it.',
      type: [
        `likeness calibrate ${name} --false-accept 0.05`,
        `likeness calibrate ${name} --false-accept 0.05 --apply`,
        changeSettings(api.url, name, { score_thres: null, calibrated_threshold: null })
      ],
      examples: hidden
        .slice(0, fewest)
        .map((one) => `${firstOf(one)!.id} for ${one.item.id}: ${standingOf(firstOf(one)!)}`)
    }
  }
}

function falseRejectOf({ calibrated_threshold: kept }: Record<string, unknown>): number {
  const { false_reject: part } = (kept ?? {}) as { false_reject?: number | null }
  return part ?? 0
}
