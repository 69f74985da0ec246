// Imports a gallery into a collection through the API, as a single job, and shows a progress bar
// until the end.
import { setTimeout as pause } from 'node:timers/promises'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { ApiClient } from '../api/api-client.ts'
import type { Progress } from '../progress.ts'

export interface ImportOutcome {
  job: JobAnswer
  /**
   * Rate from the request to the moment when everything is searchable, for the searchable pictures.
   */
  imagesPerSecond: number
}

const pollMs = 250

export interface GalleryImport {
  api: ApiClient
  collection: string
  root: string
  listFile: string
  progress: Progress
  /** Options of the new collection. */
  options?: { profile?: string; settings: Record<string, unknown> }
}

/**
 * Each picture is a single mark, and scenes turn a mark only a little. Without turned views the
 * import is ten times as fast.
 */
const marks = { profile: 'logo', settings: { view_turns: [], backgrounds: ['auto'] } }

export const importGallery = ({ root, listFile, ...into }: GalleryImport): Promise<ImportOutcome> =>
  importAnew(into, () => into.api.importList(into.collection, { root, listFile }))

/** Makes the collection anew; `send` requests the import. */
export async function importAnew(
  { api, collection, progress, options = marks }: Omit<GalleryImport, 'root' | 'listFile'>,
  send: () => Promise<{ job: string; total: number }>
): Promise<ImportOutcome> {
  if ((await api.getCollection(collection)) !== undefined) await api.dropCollection(collection)
  await api.createCollection(collection, options)
  const startedMs = performance.now()
  const { job: id, total } = await send()
  const job = await waitForJob({
    api,
    id,
    onCounts: ({ pending }) => progress.show(total - pending, total)
  })
  const seconds = (performance.now() - startedMs) / 1000
  progress.done()
  return { job, imagesPerSecond: job.counts.indexed / seconds }
}

export async function waitForJob({
  api,
  id,
  onCounts
}: {
  api: ApiClient
  id: string
  onCounts?: (counts: JobAnswer['counts']) => void
}): Promise<JobAnswer> {
  for (;;) {
    const job = await api.getJob(id)
    onCounts?.(job.counts)
    if (job.state === 'completed') return job
    if (job.state === 'cancelled')
      throw new Error(`job ${id} was cancelled: its collection was dropped`)
    await pause(pollMs)
  }
}
