// The result of a finished ingestion, written from the record of the commit that finished it.
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import { type JobResult, jobResultSchema } from '@likeness/shared/contract/job'
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import type { ObjectStore } from '@likeness/store/object-store'
import type { IngestionRecord } from '../state/job-record.ts'

export async function writeJobResult(
  store: ObjectStore,
  keys: CollectionKeys,
  record: IngestionRecord
): Promise<void> {
  const { ingestion, total, indexed, superseded, failed, revision, failures, cancelled, done } =
    record
  const { completedSeq, completedAtMs } = record
  if (completedSeq === null || completedAtMs === null)
    throw new Error(`ingestion ${ingestion} is not complete`)
  const result: JobResult = {
    ingestion,
    total,
    indexed,
    superseded,
    failed,
    revision,
    failures,
    seq: completedSeq,
    finishedAtMs: completedAtMs,
    ...(cancelled !== undefined && { cancelled, done })
  }
  await store.put(keys.jobResult(ingestion), encodeObject(result))
}

/** Returns undefined when the ingestion is not finished, or its result is not written yet. */
export async function readJobResult(
  store: ObjectStore,
  keys: CollectionKeys,
  ingestion: string
): Promise<JobResult | undefined> {
  const key = keys.jobResult(ingestion)
  const stored = await store.get(key)
  return stored && decodeObject(jobResultSchema, key, stored.body)
}
