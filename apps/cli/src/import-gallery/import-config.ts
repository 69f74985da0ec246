// The gallery config for an import: the user's yaml, or a config made from a collection's name.
import { join } from 'node:path'
import { collectionNameSchema } from '@likeness/shared/contract/collection'
import { fromCallersFolder } from '../config.ts'
import { readExportNote } from '../export/export-note.ts'
import { readDelimiter } from '../gallery-config/index-process-keys.ts'
import {
  completeGallery,
  type GalleryConfig,
  loadSearchedGallery
} from '../gallery-config/load-gallery-config.ts'
import { UserError } from '../user-error.ts'

export interface ImportChoice {
  dir: string
  config?: string
  collection?: string
  override: readonly string[]
  imageRoot?: string
  delimiter?: string
}

/** The id map takes the place of a list. */
const noList = { imageRoot: '', dataFile: '' }

/** `imageRoot` is undefined when neither option nor yaml names a folder. */
export async function importConfig({
  dir,
  config: file,
  collection,
  override,
  delimiter: separator,
  ...rest
}: ImportChoice): Promise<{ config: GalleryConfig; imageRoot: string | undefined }> {
  if ((file === undefined) === (collection === undefined))
    throw new UserError('give either -c FILE.yaml or --collection NAME')
  const delimiter = separator === undefined ? undefined : readDelimiter(separator)
  const named = rest.imageRoot === undefined ? undefined : fromCallersFolder(rest.imageRoot)
  if (file !== undefined) {
    const config = await loadSearchedGallery(fromCallersFolder(file), { overrides: override })
    const imageRoot = named ?? config.imageRoot
    return {
      config: { ...config, ...noList, delimiter: delimiter ?? config.delimiter },
      imageRoot
    }
  }
  const name = collectionNameSchema.safeParse(collection)
  if (!name.success)
    throw new UserError(`--collection ${collection}: ${name.error.issues[0]!.message}`)
  const note = await readExportNote(dir)
  const made = completeGallery(join(dir, 'gallery.yaml'), {
    // The record of the import stays apart from the record of a build into this folder.
    IndexProcess: {
      index_dir: `import-${name.data}`,
      index_method: note?.index_method,
      dist_type: note?.metric,
      delimiter
    },
    Likeness: { collection: name.data }
  })
  return { config: { ...made, ...noList, file: dir }, imageRoot: named }
}
