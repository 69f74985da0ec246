// What a gallery's yaml would say, for galleries that are taken over: the user's yaml, or one made up of a collection's name.
import { join } from 'node:path'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { loadGalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { fromCallersFolder } from '../config.ts'
import { readExportNote } from '../export/export-note.ts'
import { UserError } from '../user-error.ts'

export interface ImportChoice {
  dir: string
  config?: string
  collection?: string
  override: readonly string[]
  imageRoot?: string
  delimiter?: string
}

/** `imageRoot` is undefined when nobody names one. */
export async function importConfig({ dir, config: file, collection, override, delimiter, ...rest }: ImportChoice): Promise<{ config: GalleryConfig; imageRoot: string | undefined }> {
  if ((file === undefined) === (collection === undefined)) throw new UserError('give either -c FILE.yaml or --collection NAME')
  const named = rest.imageRoot === undefined ? undefined : fromCallersFolder(rest.imageRoot)
  if (file !== undefined) {
    const config = await loadGalleryConfig(fromCallersFolder(file), { overrides: override })
    return { config: { ...config, delimiter: delimiter ?? config.delimiter }, imageRoot: named ?? config.imageRoot }
  }
  const name = collectionNameSchema.safeParse(collection)
  if (!name.success) throw new UserError(`--collection ${collection}: ${name.error.issues[0]!.message}`)
  // The record of the import stays apart from the one of a build into this folder.
  const indexDir = join(dir, `import-${name.data}`)
  return { config: { ...(await madeUp(dir)), indexDir, collection: name.data, delimiter, imageRoot: named ?? '' }, imageRoot: named }
}

async function madeUp(dir: string): Promise<Omit<GalleryConfig, 'collection' | 'delimiter' | 'imageRoot' | 'indexDir'>> {
  const note = await readExportNote(dir)
  return {
    file: dir, folder: dir, dataFile: '', operation: undefined,
    indexMethod: note?.index_method ?? 'HNSW32',
    metric: note?.metric ?? 'IP',
    storage: 'f32', rescore: false, hammingThreshold: undefined,
    embeddingSize: undefined, returnK: 5, scoreThres: undefined, hammingRadius: undefined, searchBudget: undefined,
    detector: { threshold: 0.2, maxResults: 5, nmsIou: 0.05 },
    fields: [], exclude: [], subjects: false, viewSizes: undefined, sealThreshold: undefined, warnings: []
  }
}
