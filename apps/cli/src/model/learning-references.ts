// The pictures for learning an imported model's projection: the user's pictures, or drawn goods and
// vehicles.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DrawnPicture } from '@likeness/drawing/example-set'
import { productSet } from '@likeness/drawing/product/product-set'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import { vehicleSet } from '@likeness/drawing/vehicle/vehicle-set'
import type { DecodedImage, Reference } from '@likeness/vision'
import { readPicturePaths } from '../pictures/folder-gallery.ts'
import { openPicture } from '../pictures/open-picture.ts'
import { UserError } from '../user-error.ts'

export interface LearningReferences {
  references: Reference[]
  /** Origin of the pictures, for the manifest. */
  from: string
  /** Name of the profile. */
  name: string
}

export const mostPictures = 600
const fewestPictures = 120
/** Pixels of the longest side: views are smaller. */
const side = 320
/** Seed for other goods and vehicles than those of the examples. */
const drawnSeed = 4711

/**
 * Reads pictures; each is a separate thing. A few hundred are enough: of a larger folder, a random
 * sample is read.
 */
export async function readReferences(
  folder: string,
  onSkipped: (path: string, reason: unknown) => void
): Promise<LearningReferences> {
  const { root, paths, foreign } = await readPicturePaths(folder, '--pictures')
  const some = shuffled([...paths, ...foreign], createRandom(drawnSeed)).slice(0, mostPictures)
  const references: Reference[] = []
  for (const path of some) {
    try {
      references.push([await shrinkUserPicture(await readFile(join(root, path)))])
    } catch (error) {
      onSkipped(path, error)
    }
  }
  if (references.length < fewestPictures)
    throw new UserError(
      `--pictures ${folder}: ${references.length} pictures could be read, at least ${fewestPictures} are needed`
    )
  return { references, from: 'pictures', name: 'pictures' }
}

/**
 * Draws the same pictures every time: three of each of some goods, four of each of some vehicles.
 */
export async function drawReferences(
  onProgress: (done: number, total: number) => void
): Promise<LearningReferences> {
  const plans = await Promise.all(
    [productSet(drawnSeed), vehicleSet(drawnSeed)].map((set) => set.plan())
  )
  const pictures = new Map<string, DrawnPicture[]>()
  for (const picture of plans.flatMap(({ gallery }) => gallery))
    pictures.set(picture.label, [...(pictures.get(picture.label) ?? []), picture])
  const references: Reference[] = []
  for (const drawn of pictures.values()) {
    references.push(await Promise.all(drawn.map(async ({ draw }) => shrinkPicture(await draw()))))
    onProgress(references.length, pictures.size)
  }
  return { references, from: 'drawn goods and vehicles', name: 'general' }
}

/** Rejects like a decode, with the name of a format that is not read. */
export async function shrinkUserPicture(bytes: Buffer): Promise<DecodedImage> {
  // Loaded late: a folder is read before the addon is built.
  const { openImage } = await import('@likeness/vision')
  await openImage(bytes)
  return shrinkPicture(bytes)
}

/** Shrinks a picture to the size that views need. */
async function shrinkPicture(bytes: Buffer): Promise<DecodedImage> {
  const { data, info } = await openPicture(bytes)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { rgb: data, width: info.width, height: info.height }
}
