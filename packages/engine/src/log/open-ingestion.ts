import type { FailedItem } from '@likeness/shared/contract/job'
import type { IngestionRecord } from '../version/manifest.ts'
import type { OrdinalRanges } from '../version/ordinal-ranges.ts'

export interface OpenIngestion {
  record: IngestionRecord
  done: OrdinalRanges
  /** Items that failed since the last commit. */
  failed: FailedItem[]
  /** True after the result object is written. The next commit removes the ingestion. */
  closed: boolean
}
export const isOpen = ({ record }: OpenIngestion): boolean => record.completedSeq === null
