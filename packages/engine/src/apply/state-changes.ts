// What a commit changes of the state lines, and the pages that it makes of ended jobs.
import { encodePage, type IngestionRecord, revisionKey } from '../state/job-record.ts'
import type { JobPage, StateLine } from '../state/state-lines.ts'
import type { TrackedMap } from '../state/tracked-map.ts'
import type { StateChange, StateOutput } from '../state/write-state.ts'
import type { WriterState } from './writer-state.ts'

/** What a commit puts into pages, and what it drops because its time is over. */
export interface PagingChange {
  pages: ReadonlyMap<string, JobPage>
  /** Keys of jobs and of pages that are no lines any more. */
  jobs: ReadonlySet<string>
  expired: ReadonlySet<string>
}

export const trackedMaps = (state: WriterState): TrackedMap<unknown>[] => [
  state.tombstones,
  state.pendingUpdates,
  state.filterDeletes,
  state.ended,
  state.pages,
  state.batches
]

/** Writes pages while there are enough ended jobs. `endedBeforeMs`: older ones are dropped. */
export async function writePages(
  { files, keys, shape: { jobsOfPage } }: StateOutput,
  commitId: string,
  { ended, pages: kept }: WriterState,
  endedBeforeMs: number
): Promise<PagingChange> {
  const pages = new Map<string, JobPage>()
  const jobs = new Set<string>()
  const waiting: [string, IngestionRecord][] = []
  for (const entry of ended) {
    if ((entry[1].completedAtMs ?? Infinity) < endedBeforeMs) jobs.add(entry[0])
    else waiting.push(entry)
  }
  waiting.sort(([a], [b]) => (a < b ? -1 : 1))
  for (let at = 0; at + jobsOfPage <= waiting.length; at += jobsOfPage) {
    const records = waiting.slice(at, at + jobsOfPage).map(([key, record]) => {
      jobs.add(key)
      return record
    })
    const file = await files.put(keys.jobPage(commitId, pages.size), encodePage(records))
    const first = records[0]!.revision
    pages.set(`${revisionKey(first)}-${commitId}`, {
      file,
      first,
      last: records.at(-1)!.revision,
      jobs: records.length,
      cancelled: records.filter(({ cancelled }) => cancelled !== undefined).length,
      endedAtMs: Math.max(...records.map(({ completedAtMs }) => completedAtMs ?? 0))
    })
  }
  const expired = [...kept].filter(([, { endedAtMs }]) => endedAtMs < endedBeforeMs)
  return { pages, jobs, expired: new Set(expired.map(([key]) => key)) }
}

export function adoptPages({ ended, pages }: WriterState, change: PagingChange): void {
  for (const [key, page] of change.pages) pages.set(key, page)
  for (const key of change.expired) pages.delete(key)
  for (const key of change.jobs) ended.delete(key)
}

/** Keys of the pages. The manifest does not name them, its lines do. */
export const pageKeys = ({ pages }: WriterState): string[] =>
  [...pages].map(([, { file }]) => file.key)

const hex = (name: string): string => Buffer.from(name, 'latin1').toString('hex')

/** `records`: the ingestions that have changed, as this commit has them. */
export function stateChange(
  state: WriterState,
  records: ReadonlyMap<string, IngestionRecord>,
  paging: PagingChange
): StateChange {
  const { tombstones, pendingUpdates, filterDeletes, ended, pages, batches, ingestions } = state
  const job = (value: IngestionRecord): StateLine => ({
    kind: 'job',
    key: revisionKey(value.revision),
    value
  })
  const tombstone = (name: string, version: { revision: number; ordinal: number } | undefined) =>
    ({
      kind: 'tombstone',
      key: hex(name),
      value: version === undefined ? null : [version.revision, version.ordinal]
    }) satisfies StateLine

  function* waiting(isAll: boolean): Generator<StateLine> {
    const of = <V>(map: TrackedMap<V>): Iterable<[string, V | undefined]> =>
      isAll ? map : map.changes()
    for (const [name, version] of of(tombstones)) yield tombstone(name, version)
    for (const [name, value = null] of of(pendingUpdates))
      yield { kind: 'update', key: hex(name), value }
    for (const [key, value = null] of of(filterDeletes)) yield { kind: 'filter_delete', key, value }
    for (const [key, value = null] of of(batches)) yield { kind: 'batch', key, value }
  }

  function* all(): Generator<StateLine> {
    for (const [id, { record }] of ingestions) yield job(records.get(id) ?? record)
    for (const [key, record] of ended) if (!paging.jobs.has(key)) yield job(record)
    for (const [key, value] of pages)
      if (!paging.expired.has(key)) yield { kind: 'page', key, value }
    for (const [key, value] of paging.pages) yield { kind: 'page', key, value }
    yield* waiting(true)
  }

  function* changed(): Generator<StateLine> {
    for (const record of records.values()) yield job(record)
    for (const key of paging.jobs) yield { kind: 'job', key, value: null }
    for (const [key, value] of paging.pages) yield { kind: 'page', key, value }
    for (const key of paging.expired) yield { kind: 'page', key, value: null }
    yield* waiting(false)
  }

  return {
    changed: [...changed()],
    size: ingestions.size + trackedMaps(state).reduce((sum, { size }) => sum + size, 0),
    all,
    replaces: trackedMaps(state).some(({ isReplaced }) => isReplaced)
  }
}
