import type { FailedItem } from '@likeness/shared/contract/job'
import type { IngestionRecord } from '../version/manifest.ts'
import type { OrdinalRanges } from '../version/ordinal-ranges.ts'

export interface OpenIngestion {
  record: IngestionRecord
  done: OrdinalRanges
  /** Failed since the last commit. */
  failed: FailedItem[]
  /** Its result object is written; the next commit lets it go. */
  closed: boolean
}
export const isOpen = ({ record }: OpenIngestion): boolean => record.completedSeq === null
