import type { FailedItem } from '@likeness/shared/contract/job'
import type { IngestionRecord } from '../state/job-record.ts'
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
/** Whether the ingestion takes items: it has not ended, and will not by the next commit. */
export const isOpen = ({ record }: OpenIngestion): boolean =>
  record.completedSeq === null && record.cancelled === undefined
/** Whether the next commit ends it. */
export const isComplete = ({ record, done }: Omit<OpenIngestion, 'failed'>): boolean =>
  record.completedSeq === null && done.count + (record.cancelled ?? 0) >= record.total
