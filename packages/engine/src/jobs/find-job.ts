// Finds one job, at the cost of a few reads: the log slot of its operation, a line, or a page.
import type { JobPointer, JobResult } from '@likeness/shared/contract/job'
import { collectionKeys } from '@likeness/shared/contract/keys'
import {
  decodeLogSlot,
  type IngestOperation,
  operationsPerSlot,
  slotOf
} from '@likeness/shared/contract/operation'
import type { ObjectStore } from '@likeness/store/object-store'
import { type IngestionRecord, revisionKey } from '../state/job-record.ts'
import type { Manifest } from '../version/manifest.ts'
import { ofCommitted } from '../version/of-committed.ts'
import type { JobParts } from './job-parts.ts'
import { readJobResult } from './job-result.ts'

export interface JobDeps {
  store: ObjectStore
  parts: JobParts
}

export interface FoundJob {
  /** Version that was read. */
  manifest: Manifest
  record?: IngestionRecord
  /** Operation that the version does not hold yet. */
  ahead?: IngestOperation
  /** Result of a job that a program before 0.4 has ended. */
  result?: JobResult
}

type Place = Pick<JobPointer, 'collectionId' | 'revision'>

/** Reads the operation of a job in the log. Returns undefined when it is no ingestion. */
export async function readIngestion(
  store: ObjectStore,
  { collectionId, revision }: Place
): Promise<IngestOperation | undefined> {
  const key = collectionKeys(collectionId).logSlot(slotOf(revision))
  const stored = await store.get(key)
  const operation =
    stored && decodeLogSlot(key, stored.body).operations[revision % operationsPerSlot]
  return operation?.kind === 'ingest' ? operation : undefined
}

/** Returns undefined when the collection is gone. `ingestion`: of a job with a pointer. */
export function findJob(
  { store, parts }: JobDeps,
  { collectionId, revision, ingestion }: Place & { ingestion?: string }
): Promise<FoundJob | undefined> {
  return ofCommitted(store, collectionId, async (manifest): Promise<FoundJob> => {
    if (slotOf(revision) > manifest.appliedSlot)
      return { manifest, ahead: await readIngestion(store, { collectionId, revision }) }
    const record =
      (await parts.find(manifest.state, 'job', revisionKey(revision))) ??
      (await findInPages(parts, manifest, revision))
    if (record !== undefined || ingestion === undefined) return { manifest, record }
    return { manifest, result: await readJobResult(store, collectionKeys(collectionId), ingestion) }
  })
}

async function findInPages(
  parts: JobParts,
  { state }: Manifest,
  revision: number
): Promise<IngestionRecord | undefined> {
  const overlay = await parts.overlay(state)
  for (const { first, last, file } of await parts.all(state, 'page', overlay)) {
    if (revision < first || revision > last) continue
    const found = (await parts.page(file)).find((record) => record.revision === revision)
    if (found !== undefined) return found
  }
  return undefined
}
