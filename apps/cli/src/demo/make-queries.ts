// The demo's queries: a scene each of randomly drawn pictures, a third of them of each kind. Made
// once and kept.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { drawScene, sceneKinds } from '@likeness/drawing/draw-scene'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import type { GalleryPicture } from '../pictures/gallery.ts'
import type { DemoQuery } from './run-queries.ts'

export const queryCount = 150
/**
 * Seed from 1 to 5 whose scenes come nearest to the mean of 1000 scenes (R@1 .65, R@5 .78): neither
 * lucky nor unlucky.
 */
export const querySeed = 3
const drawingVersion = 1

export interface QueryOptions {
  /** Folder that the pictures' paths start at. */
  folder: string
  pictures: readonly GalleryPicture[]
  /** Folder in which made scenes are kept. */
  cacheDir: string
  count?: number
  seed?: number
}

/**
 * Returns fewer than `count` queries where there are fewer pictures. Pictures that cannot be opened
 * are skipped: their import fails with a message.
 */
export async function makeQueries({
  folder,
  pictures,
  cacheDir,
  count = queryCount,
  seed = querySeed
}: QueryOptions): Promise<DemoQuery[]> {
  await mkdir(cacheDir, { recursive: true })
  const random = createRandom(seed)
  const queries: DemoQuery[] = []
  for (const { path, label } of shuffled(pictures, random)) {
    if (queries.length === count) break
    const picture = await readFile(join(folder, path))
    const at = queries.length
    const kind = sceneKinds[at % sceneKinds.length]!
    const cached = join(
      cacheDir,
      `${createHash('sha256').update(`${drawingVersion} ${seed} ${at} ${path}\n`).update(picture).digest('hex').slice(0, 32)}.jpg`
    )
    const image = await readOrDraw(
      cached,
      async () => (await drawScene({ picture, kind, random: random.fork(`${at} ${path}`) })).jpeg
    )
    if (image !== undefined)
      queries.push({ name: `${String(at + 1).padStart(3, '0')} ${kind}`, image, label })
  }
  return queries
}

async function readOrDraw(file: string, draw: () => Promise<Buffer>): Promise<Buffer | undefined> {
  if (existsSync(file)) return readFile(file)
  let image: Buffer
  try {
    image = await draw()
  } catch {
    // The file is not a picture.
    return undefined
  }
  await writeFile(file, image)
  return image
}

export async function readQueryFile(file: string): Promise<DemoQuery> {
  return { name: basename(file), image: await readFile(file), label: undefined }
}
