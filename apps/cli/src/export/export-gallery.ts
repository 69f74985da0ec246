// Exports a committed version of a collection as a folder that other programs read: a plain Faiss
// index, and a map of its rows.
import { rm, writeFile } from 'node:fs/promises'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ApiClient } from '../api/api-client.ts'
import type { Progress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { buildIndexFile } from './build-index.ts'
import { type ExportFolder, fileNames, openExportFolder } from './export-folder.ts'
import { type ExportNote, exportNoteSchema } from './export-note.ts'
import { vectorsName, writeRows } from './row-files.ts'

export interface ExportOptions {
  api: ApiClient
  collection: CollectionAnswer
  outDir: string
  reading: Progress
  building: Progress
}

/**
 * Exports the collection. The last export in the folder stays until the new export is complete.
 * UserError when there is no item to export.
 */
export async function exportGallery({
  api,
  collection,
  outDir,
  ...progress
}: ExportOptions): Promise<ExportNote> {
  const folder = await openExportFolder(outDir)
  try {
    const note = await writeFiles({ api, collection, folder, ...progress })
    await folder.publish()
    return note
  } catch (error) {
    await folder.discard()
    throw error
  }
}

async function writeFiles({
  api,
  collection,
  folder,
  reading,
  building
}: Omit<ExportOptions, 'outDir'> & { folder: ExportFolder }): Promise<ExportNote> {
  const { name, incarnation, embedding, metric, index_method, settings } = collection
  if (embedding.sparse)
    throw new UserError(
      `the collection ${name} holds sparse vectors, which no Faiss index takes: read them with GET /v1/collections/${name}/vectors`
    )
  const { seq, lines } = await api.exportVectors(name)
  const { items, rows } = await writeRows(lines, {
    folder,
    dim: embedding.dim,
    onItem: (done) => reading.show(done, Math.max(done, collection.items))
  })
  reading.done()
  if (items === 0) throw new UserError(`the collection ${name} holds nothing to export`)
  const note = exportNoteSchema.parse({
    format: 1,
    collection: name,
    incarnation,
    seq,
    embedding,
    metric,
    index_method,
    items,
    rows,
    exported_at: new Date().toISOString()
  })
  await buildIndexFile(
    {
      vectorsFile: folder.path(vectorsName),
      rows,
      dim: embedding.dim,
      method: note.index_method,
      metric: ({ IP: 'ip', cosine: 'ip', L2: 'l2', hamming: 'hamming' } as const)[note.metric],
      budget: settings.search_budget as number | undefined,
      onRows: (done) => building.show(done, rows)
    },
    folder.path(fileNames.index)
  )
  building.done()
  await rm(folder.path(vectorsName))
  await writeFile(folder.path(fileNames.note), `${JSON.stringify(note, undefined, 2)}\n`)
  return note
}
