// The id of a job says where it is: the collection id and the revision of its ingestion.
import type { JobPointer } from './job.ts'

const pattern = /^([0-9A-HJKMNP-TV-Z]{26})-([1-9]\d{0,15})$/

export const jobIdOf = ({
  collectionId,
  revision
}: Pick<JobPointer, 'collectionId' | 'revision'>): string => `${collectionId}-${revision}`

/** Returns undefined for any other text. */
export function parseJobId(id: string): Pick<JobPointer, 'collectionId' | 'revision'> | undefined {
  const match = pattern.exec(id)
  return match === null ? undefined : { collectionId: match[1]!, revision: Number(match[2]) }
}
