import type { FailedItem } from '@likeness/shared/contract/job'
import type { IngestionRecord } from '../version/manifest.ts'
import type { OrdinalRanges } from '../version/ordinal-ranges.ts'

export interface OpenIngestion {
  record: IngestionRecord
  done: OrdinalRanges
  /** Items that failed since the last commit. */
  failed: FailedItem[]
}
export interface NamedIngestion {
  ingestion: string
  open: OpenIngestion
}
export const isOpen = ({ record }: OpenIngestion): boolean => record.completedSeq === null
