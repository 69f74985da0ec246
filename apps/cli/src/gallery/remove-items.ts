// Removes the items of a list from a gallery, by path. The pictures themselves may be gone already.
import type { ListLine } from '@likeness/shared/contract/http/imports'
import type { ApiClient } from '../api/api-client.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import type { Progress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { writeRecord } from './build-record.ts'
import type { LineFailure } from './submit-parts.ts'

const idsPerCall = 1_000

export interface RemoveSummary {
  collection: string
  listed: number
  removed: number
  /** Lines of items that the gallery does not hold. */
  failures: LineFailure[]
}

export async function removeItems({
  api,
  config,
  progress,
  total
}: {
  api: ApiClient
  config: GalleryConfig
  progress: Progress
  total: number
}): Promise<RemoveSummary> {
  const there = await api.getCollection(config.collection)
  if (there === undefined)
    throw new UserError(
      `the collection ${config.collection} does not exist: there is nothing to remove from`
    )
  // From here on the gallery differs from the last build, so the same build again has work to do.
  await writeRecord(config.indexDir, {
    operation: 'remove',
    collection: there.name,
    collectionId: there.incarnation,
    fingerprint: '',
    nonce: ''
  })
  const summary: RemoveSummary = {
    collection: config.collection,
    listed: 0,
    removed: 0,
    failures: []
  }
  let ids: string[] = []
  const flush = async (): Promise<void> => {
    if (ids.length > 0) await keepTrying(() => api.deleteItems(config.collection, ids))
    summary.removed += ids.length
    ids = []
  }
  for await (const line of readDataList(config)) {
    summary.listed++
    const id = await findId(api, config, line)
    if (id === undefined)
      summary.failures.push({
        line: line.line ?? 0,
        path: line.path,
        code: 'item_not_found',
        message: `${line.path} is not in the gallery`
      })
    else ids.push(id)
    if (ids.length === idsPerCall) await flush()
    progress.show(summary.listed, Math.max(total, summary.listed))
  }
  await flush()
  progress.done()
  return summary
}

/**
 * Finds the item of a line. Where spaces could belong to path or label and no file decides, the
 * gallery decides.
 */
async function findId(
  api: ApiClient,
  { collection, delimiter }: GalleryConfig,
  { path, id, label }: ListLine
): Promise<string | undefined> {
  const has = async (name: string): Promise<boolean> =>
    (await keepTrying(() => api.getItem(collection, name))) !== undefined
  if (await has(id ?? path)) return id ?? path
  if (delimiter !== undefined || !label) return undefined
  const words = `${path} ${label}`.split(' ')
  for (let count = words.length - 1; count > 0; count--) {
    const candidate = words.slice(0, count).join(' ')
    if (candidate !== path && (await has(candidate))) return candidate
  }
  return undefined
}
