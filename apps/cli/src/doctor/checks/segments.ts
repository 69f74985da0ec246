// Dead rows and too many segments: each search reads them.
import type { CollectionCheck } from '../check.ts'
import { compact } from '../commands.ts'

/** Sealed segments are written anew at a fifth of dead rows. */
const mostDead = 0.2
/** As many as merges leave, and one more for so many rows. */
const mostSegments = 32
const rowsPerSegment = 500_000

export const segments: CollectionCheck = {
  id: 'segments',
  complaint: 'slow',
  async examine({ api, collection: { name, segments: all, open_jobs: jobs } }) {
    const rows = all.reduce((sum, one) => sum + one.rows, 0)
    const dead = all.reduce((sum, one) => sum + one.deleted, 0)
    const most = mostSegments + Math.ceil(rows / rowsPerSegment)
    const found = [
      ...(dead > mostDead * rows ? [`${dead} of ${rows} rows are deleted`] : []),
      ...(all.length > most && jobs === 0 ? [`${all.length} segments, ${most} would do`] : [])
    ]
    if (found.length === 0) return undefined
    return {
      found: found.join('; '),
      says: 'Searches read dead rows and every segment. A compaction writes what is left anew.',
      type: [compact(api.url, name)]
    }
  }
}
