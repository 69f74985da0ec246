// Jobs of a collection, newest first: those of slots that no commit has yet, then those of the
// version, in lines and pages. Reads what a page of the list needs.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, revisionOf, slotOf } from '@likeness/shared/contract/operation'
import type { JobStatus } from '../contract.ts'
import { findTail } from '../log/log-slots.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import { lineName, type StateLine } from '../state/state-lines.ts'
import type { Manifest } from '../version/manifest.ts'
import { ofCommitted } from '../version/of-committed.ts'
import type { JobDeps } from './find-job.ts'
import type { Overlay } from './job-parts.ts'
import { pointerOf, queuedStatus, recordStatus } from './job-status.ts'

const slotsAtOnce = 16
/** Above every revision. */
const end = Number.MAX_SAFE_INTEGER

export interface ListedPage {
  limit: number
  /** Jobs with a lower revision. */
  before?: number
  state?: JobStatus['state']
}

/** Jobs in any order, of which the newest has the revision `last`. */
interface Source {
  last: number
  read: () => Promise<IngestionRecord[]>
}

/** Returns undefined when the collection is gone. */
export function listJobs(
  deps: JobDeps,
  collectionId: string,
  { limit, before = end, state }: ListedPage
): Promise<JobStatus[] | undefined> {
  return ofCommitted(deps.store, collectionId, async (manifest) => {
    const isWanted = (job: JobStatus): boolean =>
      job.revision < before && (state === undefined || job.state === state)
    const jobs: JobStatus[] = []
    if (state === undefined || state === 'queued')
      for await (const job of newerJobs(deps, manifest, before)) {
        if (isWanted(job)) jobs.push(job)
        if (jobs.length === limit) return jobs
      }
    const sources = await sourcesOf(deps, manifest, { before, state })
    const committed: JobStatus[] = []
    const missing = limit - jobs.length
    for (const { last, read } of sources.sort((a, b) => b.last - a.last)) {
      // All that follows is older than what is there.
      if (committed.length >= missing && last < committed[missing - 1]!.revision) break
      for (const record of await read()) {
        const job = recordStatus(pointerOf(manifest, record), record, manifest.spec.embedding)
        if (record.source !== undefined && isWanted(job)) committed.push(job)
      }
      committed.sort((a, b) => b.revision - a.revision)
    }
    return [...jobs, ...committed.slice(0, missing)]
  })
}

/** Yields the ingestions of slots that the version does not hold, newest first. */
async function* newerJobs(
  { store }: JobDeps,
  manifest: Manifest,
  before: number
): AsyncGenerator<JobStatus> {
  const { collectionId } = manifest.spec
  const { appliedSlot } = manifest
  const keys = collectionKeys(collectionId)
  const tail = await findTail(store, collectionId, appliedSlot)
  for (let slot = Math.min(tail, slotOf(before)); slot > appliedSlot; slot -= slotsAtOnce) {
    const slots = Array.from(
      { length: Math.min(slotsAtOnce, slot - appliedSlot) },
      (_, i) => slot - i
    )
    const read = await Promise.all(
      slots.map(async (number) => ({ number, stored: await store.get(keys.logSlot(number)) }))
    )
    for (const { number, stored } of read) {
      if (stored === undefined) continue
      const { operations } = decodeLogSlot(keys.logSlot(number), stored.body)
      for (const [index, operation] of [...operations.entries()].reverse())
        if (operation.kind === 'ingest' && operation.source !== undefined)
          yield queuedStatus(manifest, operation, revisionOf(number, index))
    }
  }
}

/** Pages hold ended jobs only. */
async function sourcesOf(
  { parts }: JobDeps,
  { state: lines }: Manifest,
  { before, state }: Required<Pick<ListedPage, 'before'>> & Pick<ListedPage, 'state'>
): Promise<Source[]> {
  const overlay = await parts.overlay(lines)
  const recordsOf = (found: Iterable<StateLine>): IngestionRecord[] =>
    [...found].flatMap(({ kind, value }) => (kind === 'job' && value !== null ? [value] : []))
  const recent = recordsOf(overlay.values())
  const sources: Source[] = [
    {
      last: recent.reduce((last, { revision }) => Math.max(last, revision), 0),
      read: async () => recent
    }
  ]
  for (const [at, ref] of lines.base.entries()) {
    const next = lines.base[at + 1]?.first ?? '~'
    if (ref.first < 'job0' && next > 'job/')
      sources.push({
        last: next.startsWith('job/') ? Number(next.slice('job/'.length)) - 1 : end,
        read: async () => recordsOf(unlessReplaced(await parts.part(ref), overlay))
      })
  }
  if (state === 'queued' || state === 'running') return sources
  for (const { file, first, last, jobs, cancelled } of await parts.all(lines, 'page', overlay)) {
    const counts = { cancelled, completed: jobs - cancelled }
    if (first < before && (state === undefined || counts[state] > 0))
      sources.push({ last: Math.min(last, before), read: () => parts.page(file) })
  }
  return sources
}

function* unlessReplaced(part: Overlay, overlay: Overlay): Generator<StateLine> {
  for (const line of part.values()) if (!overlay.has(lineName(line))) yield line
}
