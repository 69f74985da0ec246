// A replica that does not serve the newest version.
import type { CollectionCheck } from '../check.ts'

/** A new version takes some seconds to load. */
const longMs = 10_000

export const replica: CollectionCheck = {
  id: 'replica-behind',
  complaint: 'wrong',
  async examine({ api, collection: { incarnation, seq }, status }) {
    const served = status.replica.find((one) => one.incarnation === incarnation)
    if (served === undefined) return undefined
    const { alarm, behind_ms: behindMs } = served
    if (alarm === null && behindMs < longMs) return undefined
    const why = alarm === null ? '' : `: ${alarm}`
    return {
      found: `version ${served.seq} is served and ${seq} is the newest, for ${(behindMs / 1000).toFixed(0)} s${why}`,
      says: 'Searches do not find what came since. The log of the api process says why the newest version cannot be loaded.',
      type: [
        `curl -s ${api.url}/readyz`,
        'tail -n 50 .likeness/stack/logs/api.log',
        'likeness verify'
      ]
    }
  }
}
