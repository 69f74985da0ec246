// What an imported model's projection is learned from: the user's pictures, or goods and vehicles drawn for it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { DrawnPicture } from '@likeness/drawing/example-set'
import { productSet } from '@likeness/drawing/product/product-set'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import { vehicleSet } from '@likeness/drawing/vehicle/vehicle-set'
import type { DecodedImage, Reference } from '@likeness/vision'
import { readPicturePaths } from '../pictures/folder-gallery.ts'
import { UserError } from '../user-error.ts'

export interface LearningReferences {
  references: Reference[]
  /** For the manifest. */
  from: string
  /** What the profile is called. */
  name: string
}

export const mostPictures = 600
const fewestPictures = 120
/** Pixels of the longest side: views are smaller. */
const side = 320
/** Other goods and vehicles than those of the examples. */
const drawnSeed = 4711

/** Each picture is a thing of its own. A few hundred suffice: of more, some that lie spread over the folder are taken. */
export async function readReferences(
  folder: string,
  onSkipped: (path: string, reason: unknown) => void
): Promise<LearningReferences> {
  const { root, paths } = await readPicturePaths(folder, '--pictures')
  const some = shuffled(paths, createRandom(drawnSeed)).slice(0, mostPictures)
  const references: Reference[] = []
  for (const path of some) {
    try {
      references.push([await shrinkPicture(await readFile(join(root, path)))])
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

/** The same every time: three pictures of each of some goods, four of each of some vehicles. */
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

/** As large as views need it. */
export async function shrinkPicture(bytes: Buffer): Promise<DecodedImage> {
  const { data, info } = await sharp(bytes)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { rgb: data, width: info.width, height: info.height }
}
