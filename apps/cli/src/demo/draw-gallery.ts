// The demo's gallery: brand marks drawn as PNG files with a list of path and label; drawn once and
// kept.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { chooseBrandMarks, listedMarks, markSvg } from '@likeness/drawing/brand-marks'
import { lookOf, looksLikeOneOf } from '@likeness/drawing/near-duplicates'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import type { Gallery, GalleryPicture } from '../pictures/gallery.ts'

export const galleryMarks = 1000
export const markSize = 224
const seed = 20261
const drawingVersion = 1

export const readList = (text: string): GalleryPicture[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      path: line.slice(0, line.indexOf('\t')),
      label: line.slice(line.indexOf('\t') + 1)
    }))

/** Draws a mark with longest side `markSize`; transparent pixels stay transparent. */
const drawMark = (name: string): Promise<Buffer> =>
  sharp(Buffer.from(markSvg(name, markSize)))
    .png({ compressionLevel: 6 })
    .toBuffer()

/**
 * Draws the gallery under `folder`, or reuses an earlier drawing from the same icon set.
 * `onProgress`: number of marks kept so far.
 */
export async function drawGallery({
  folder,
  count = galleryMarks,
  onProgress
}: {
  folder: string
  count?: number
  onProgress?: (kept: number) => void
}): Promise<Gallery> {
  const names = shuffled(chooseBrandMarks(listedMarks()), createRandom(seed))
  const key = createHash('sha256').update(`${drawingVersion} ${count} ${markSize}\n`)
  for (const name of names) key.update(markSvg(name, markSize))
  const stamp = key.digest('hex')
  const listFile = join(folder, 'list.tsv')
  const stampFile = join(folder, 'drawn-from')
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) {
    return { folder, listFile, pictures: readList(await readFile(listFile, 'utf8')) }
  }
  await rm(folder, { recursive: true, force: true })
  await mkdir(join(folder, 'marks'), { recursive: true })
  const pictures = await drawDistinct({ names, count, folder, onProgress })
  await writeFile(listFile, pictures.map(({ path, label }) => `${path}\t${label}\n`).join(''))
  await writeFile(stampFile, stamp)
  return { folder, listFile, pictures }
}

interface Drawing {
  names: readonly string[]
  count: number
  folder: string
  onProgress?: (kept: number) => void
}
const drawnAtOnce = 8

async function drawDistinct({
  names,
  count,
  folder,
  onProgress
}: Drawing): Promise<GalleryPicture[]> {
  const pictures: GalleryPicture[] = []
  const looks: Float32Array[] = []
  for (let from = 0; from < names.length && pictures.length < count; from += drawnAtOnce) {
    const drawn = await Promise.all(
      names.slice(from, from + drawnAtOnce).map(async (name) => {
        const png = await drawMark(name)
        return { name, png, look: await lookOf(png) }
      })
    )
    for (const { name, png, look } of drawn) {
      if (pictures.length === count || look === undefined || looksLikeOneOf(look, looks)) continue
      looks.push(look)
      pictures.push({ path: `marks/${name}.png`, label: name })
      await writeFile(join(folder, 'marks', `${name}.png`), png)
    }
    onProgress?.(pictures.length)
  }
  if (pictures.length < count)
    throw new Error(`the icon set has only ${pictures.length} different marks, ${count} are wanted`)
  return pictures
}
