// Removes the items of a list from a gallery, by path. The pictures themselves may be gone already.
import { itemIdSchema } from '@likeness/shared/contract/item-list'
import { meaningsOf } from '@likeness/shared/data/picture-path'
import type { ApiClient } from '../api/api-client.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { readWrittenLines, type WrittenLine } from '../gallery-config/data-list.ts'
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
    ids = []
  }
  for await (const { line, written, repeats } of readWrittenLines(config)) {
    if (repeats !== undefined) {
      // Earlier versions kept a picture as often as it was written differently.
      if (written !== line.path && (await has(api, config, written))) ids.push(written)
      continue
    }
    summary.listed++
    const found = await findIds(api, config, { line, written })
    if (found.length === 0)
      summary.failures.push({
        line: line.line ?? 0,
        path: line.path,
        code: 'item_not_found',
        message: `${line.path} is not in the gallery`
      })
    else summary.removed++
    ids.push(...found)
    if (ids.length >= idsPerCall) await flush()
    progress.show(summary.listed, Math.max(total, summary.listed))
  }
  await flush()
  progress.done()
  return summary
}

const has = async (api: ApiClient, { collection }: GalleryConfig, id: string): Promise<boolean> =>
  itemIdSchema.safeParse(id).success &&
  (await keepTrying(() => api.getItem(collection, id))) !== undefined

/**
 * Finds the items of a line: under the picture's path, and under the path as it is written, which
 * earlier versions took as it was. Where neither is there, the first other way to write the path
 * counts. Where spaces could belong to path or label and no file decides, the gallery decides.
 */
async function findIds(
  api: ApiClient,
  config: GalleryConfig,
  { line: { path, id = path, label }, written }: WrittenLine
): Promise<string[]> {
  const found: string[] = []
  for (const one of new Set([id, written])) if (await has(api, config, one)) found.push(one)
  for (const one of meaningsOf(written, [config.imageRoot]))
    if (found.length === 0 && (await has(api, config, one))) found.push(one)
  if (found.length > 0 || config.delimiter !== undefined || !label) return found
  const words = `${path} ${label}`.split(' ')
  for (let count = words.length - 1; count > 0; count--) {
    const candidate = words.slice(0, count).join(' ')
    if (candidate !== path && (await has(api, config, candidate))) return [candidate]
  }
  return []
}
