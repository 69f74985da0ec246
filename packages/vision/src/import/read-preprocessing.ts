// Reads how an embedder's pictures were made, from the file that its framework writes for that.
import path from 'node:path'
import { appError } from '@likeness/shared/errors'
import {
  type Entries,
  openClipPixels,
  type Preprocessing,
  timmPixels,
  transformersPixels
} from './pixel-forms.ts'
import { isObject, readJsonObject } from './read-small-file.ts'

/** In each folder, the first of these that says anything. */
const forms: readonly { file: string; read: (entries: Entries) => Preprocessing | undefined }[] = [
  { file: 'preprocessor_config.json', read: transformersPixels },
  {
    file: 'processor_config.json',
    read: ({ image_processor: inner }) => (isObject(inner) ? transformersPixels(inner) : undefined)
  },
  { file: 'preprocess_cfg.json', read: openClipPixels },
  { file: 'open_clip_config.json', read: readOpenClip },
  { file: 'config.json', read: timmPixels }
]

/** open_clip keeps the size with the model. */
function readOpenClip({
  preprocess_cfg: own,
  model_cfg: model
}: Entries): Preprocessing | undefined {
  if (!isObject(own)) return undefined
  const vision = isObject(model) && isObject(model['vision_cfg']) ? model['vision_cfg'] : {}
  return openClipPixels({ size: vision['image_size'], ...own })
}

/** Absent and null are the same. A config.json may be of any program, so a damaged one says nothing. */
async function readEntries(folder: string, file: string): Promise<Entries | undefined> {
  const reading = readJsonObject(path.join(folder, file))
  const entries = await (file === 'config.json' ? reading.catch(() => undefined) : reading)
  return (
    entries && Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null))
  )
}

/**
 * Looks in `folders`, in order. undefined: no file says anything. Rejects with `invalid_request`
 * for a file that is damaged.
 */
export async function readPreprocessing(
  folders: readonly string[]
): Promise<(Preprocessing & { file: string }) | undefined> {
  for (const folder of folders) {
    for (const { file, read } of forms) {
      const entries = await readEntries(folder, file)
      try {
        const found = entries && read(entries)
        if (found !== undefined) return { ...found, file: path.join(folder, file) }
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        throw appError('invalid_request', `${path.join(folder, file)}: ${error.message}`, {
          cause: error
        })
      }
    }
  }
  return undefined
}
