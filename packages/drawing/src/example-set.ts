// A drawn set on disk: the pictures, the list of the gallery and the list of the queries. The same
// version draws the same bytes.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface DrawnPicture {
  /** Path inside the set's folder. */
  path: string
  /**
   * Label of the picture. `none`: the thing is not in the gallery. Several labels are separated by
   * `|`.
   */
  label: string
  /** Further fields of the picture's line. */
  more?: readonly string[]
  draw: () => Promise<Buffer>
}
export interface ExampleSet {
  /**
   * Version of the drawing. Each change of the drawing changes the version, so that old files on
   * disk are drawn anew.
   */
  version: string
  plan: () => Promise<Plan>
}
export interface Plan {
  gallery: DrawnPicture[]
  queries: DrawnPicture[]
}

export const unknownLabel = 'none'
const drawnAtOnce = 4

export const listLine = ({ path, label, more = [] }: Omit<DrawnPicture, 'draw'>): string =>
  `${[path, label, ...more].join('\t')}\n`

/**
 * Draws the set under `folder` unless it is already there. `onProgress`: pictures done, and their
 * total.
 */
export async function drawExampleSet(
  set: ExampleSet,
  folder: string,
  onProgress?: (done: number, total: number) => void
): Promise<void> {
  const stampFile = join(folder, 'drawn-from')
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === set.version) return
  await rm(join(folder, 'images'), { recursive: true, force: true })
  const { gallery, queries } = await set.plan()
  const all = [...gallery, ...queries]
  for (const parent of new Set(all.map(({ path }) => dirname(join(folder, path)))))
    await mkdir(parent, { recursive: true })
  for (let from = 0; from < all.length; from += drawnAtOnce) {
    const some = all.slice(from, from + drawnAtOnce)
    await Promise.all(
      some.map(async ({ path, draw }) => writeFile(join(folder, path), await draw()))
    )
    onProgress?.(Math.min(all.length, from + drawnAtOnce), all.length)
  }
  await writeFile(join(folder, 'gallery.txt'), gallery.map(listLine).join(''))
  await writeFile(join(folder, 'queries.txt'), queries.map(listLine).join(''))
  await writeFile(stampFile, set.version)
}
