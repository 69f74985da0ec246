// What a profile is learned from: pictures of a collection, downloaded through the API, or of a folder; each a thing of its own, or grouped by label.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Reference } from '@likeness/vision'
import { createLimiter } from '@likeness/shared/in-order'
import type { ApiClient } from '../api-client.ts'
import { labelPictures, readPicturePaths } from '../demo/folder-gallery.ts'
import { createRandom, shuffled } from '../drawing/seeded-random.ts'
import { mostPictures, shrinkPicture } from '../model/learning-references.ts'
import { UserError } from '../user-error.ts'

export interface SourcePicture {
  name: string
  label: string | null
  read: () => Promise<Buffer>
}
export interface ReferencePlan {
  by: 'views' | 'labels'
  /** Pictures of one thing each; at most some hundred things with a few pictures. */
  groups: SourcePicture[][]
}

/** So many things must be left when those that are kept apart are taken away: 512 directions from six views each. */
export const fewestThings = 120
/** Things that labels must make before labels are taken where nothing is said. */
const fewestLabels = fewestThings
/** Views are drawn from so many pictures of a thing. */
const picturesOfThing = 6
/** Of a collection; its items come in the order of hashes, so the first ones are as good as any. */
const mostItemsRead = 6_000
const downloadsAtOnce = 4
const seed = 22

export async function collectionPictures(api: ApiClient, collection: string): Promise<SourcePicture[]> {
  const pictures: SourcePicture[] = []
  const { lines } = await api.exportVectors(collection)
  for await (const { id, label } of lines) {
    const path = `/v1/collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(id)}/image`
    pictures.push({ name: id, label: label ?? null, read: () => api.fetchBytes(path) })
    if (pictures.length === mostItemsRead) break
  }
  return pictures
}

/** A sub-folder is a label. */
export async function folderPictures(folder: string): Promise<SourcePicture[]> {
  const { root, paths } = await readPicturePaths(folder, 'DIR')
  return labelPictures(paths).map(({ path, label }) => ({ name: path, label: path.includes('/') ? label : null, read: () => readFile(join(root, path)) }))
}

/** `by` undefined: labels where there are enough of them, else each picture. UserError when there are too few things. */
export function planReferences(pictures: readonly SourcePicture[], by: 'views' | 'labels' | undefined): ReferencePlan {
  const labels = new Map<string, SourcePicture[]>()
  for (const picture of pictures) if (picture.label !== null) labels.set(picture.label, [...(labels.get(picture.label) ?? []), picture])
  const taken = by ?? (labels.size >= fewestLabels ? 'labels' : 'views')
  const things = taken === 'labels' ? [...labels.values()] : pictures.map((picture) => [picture])
  if (things.length < fewestThings) throw new UserError(`${things.length} ${taken === 'labels' ? 'labels' : 'pictures'} are too few to learn from: at least ${fewestThings} are needed`)
  return { by: taken, groups: shuffled(things, createRandom(seed)).slice(0, mostPictures).map((group) => group.slice(0, picturesOfThing)) }
}

/** In the order of the groups; a picture that cannot be read is left out, a thing without any too. UserError when too few are left. */
export async function readGroups(groups: ReferencePlan['groups'], { onProgress, onSkipped }: { onProgress: (done: number, total: number) => void; onSkipped: (name: string, reason: unknown) => void }): Promise<Reference[]> {
  const limit = createLimiter(downloadsAtOnce)
  let done = 0
  const references = await Promise.all(groups.map((group) => limit(async () => {
    const read = []
    for (const picture of group) {
      try {
        read.push(await shrinkPicture(await picture.read()))
      } catch (error) {
        onSkipped(picture.name, error)
      }
    }
    onProgress(++done, groups.length)
    return read
  })))
  const things = references.filter((pictures) => pictures.length > 0)
  if (things.length < fewestThings) throw new UserError(`pictures of ${things.length} things could be read, at least ${fewestThings} are needed`)
  return things
}
