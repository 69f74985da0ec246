// The pictures for learning a profile: some hundred pictures of a collection, downloaded through
// the API, or of a folder, with labels.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import { createSemaphore } from '@likeness/shared/data/semaphore'
import type { DecodedImage } from '@likeness/vision'
import type { ApiClient } from '../api/api-client.ts'
import { mostPictures, shrinkUserPicture } from '../model/learning-references.ts'
import { labelPictures, readPicturePaths } from '../pictures/folder-gallery.ts'
import { UserError } from '../user-error.ts'

export interface SourcePicture {
  name: string
  label: string | null
  read: () => Promise<Buffer>
}
/**
 * Fewest pictures that must remain after the held-out pictures are removed: 512 directions from six
 * views each.
 */
export const fewestPictures = 120
/** Most pictures of a label, as long as there are other labels. */
const picturesOfLabel = 6
/**
 * Most items read of a collection. Items come in the order of hashes, so the first items are a fair
 * sample.
 */
const mostItemsRead = 6_000
const downloadsAtOnce = 4
const seed = 22

export async function collectionPictures(
  api: ApiClient,
  collection: string
): Promise<SourcePicture[]> {
  const pictures: SourcePicture[] = []
  const { lines } = await api.exportVectors(collection)
  for await (const { id, label } of lines) {
    const path = `/v1/collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(id)}/image`
    pictures.push({ name: id, label: label ?? null, read: () => api.fetchBytes(path) })
    if (pictures.length === mostItemsRead) break
  }
  return pictures
}

/** Reads the pictures of a folder. A sub-folder is a label. */
export async function folderPictures(folder: string): Promise<SourcePicture[]> {
  const { root, paths, foreign } = await readPicturePaths(folder, 'DIR')
  return labelPictures([...paths, ...foreign]).map(({ path, label }) => ({
    name: path,
    label: path.includes('/') ? label : null,
    read: () => readFile(join(root, path))
  }))
}

/**
 * Chooses at most some hundred pictures, the same every time. Several pictures of each label are
 * taken, because a projection is tried on pictures of the same label. UserError when there are too
 * few.
 */
export function choosePictures(pictures: readonly SourcePicture[]): SourcePicture[] {
  if (pictures.length < fewestPictures)
    throw new UserError(
      `${pictures.length} pictures are too few to learn from: at least ${fewestPictures} are needed`
    )
  const labels = new Map<string, SourcePicture[]>()
  for (const picture of shuffled(pictures, createRandom(seed))) {
    const label = picture.label === null ? `picture ${picture.name}` : `label ${picture.label}`
    labels.set(label, [...(labels.get(label) ?? []), picture])
  }
  const [first, later] = [
    [...labels.values()].flatMap((own) => own.slice(0, picturesOfLabel)),
    [...labels.values()].flatMap((own) => own.slice(picturesOfLabel))
  ]
  return [...first, ...later].slice(0, mostPictures)
}

export interface ReadPicture {
  label: string | null
  picture: DecodedImage
}

/**
 * Reads pictures in their order; an unreadable picture is left out. UserError when too few remain.
 */
export async function readPictures(
  pictures: readonly SourcePicture[],
  {
    onProgress,
    onSkipped
  }: {
    onProgress: (done: number, total: number) => void
    onSkipped: (name: string, reason: unknown) => void
  }
): Promise<ReadPicture[]> {
  const limit = createSemaphore(downloadsAtOnce).run
  let done = 0
  const read = await Promise.all(
    pictures.map(({ name, label, read: bytes }) =>
      limit(async () => {
        try {
          return [{ label, picture: await shrinkUserPicture(await bytes()) }]
        } catch (error) {
          onSkipped(name, error)
          return []
        } finally {
          onProgress(++done, pictures.length)
        }
      })
    )
  )
  const some = read.flat()
  if (some.length < fewestPictures)
    throw new UserError(
      `${some.length} pictures could be read, at least ${fewestPictures} are needed`
    )
  return some
}
