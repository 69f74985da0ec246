// The user's pictures for quantising: some to take ranges from, others to compare both models on.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createRandom, shuffled } from '@likeness/drawing/seeded-random'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { decodeImage, type QuantizePicture, type Reference } from '@likeness/vision'
import { readPicturePaths } from '../pictures/folder-gallery.ts'
import { UserError } from '../user-error.ts'
import { shrinkUserPicture } from './learning-references.ts'

export interface QuantizePictures {
  calibration: QuantizePicture[]
  heldOut: { pictures: QuantizePicture[]; references: Reference[] }
}

const seed = 29
const fewestPictures = 120
/** Most pictures for calibration. Ranges hardly change with more. */
const mostCalibration = 64
/** Most held-out pictures. Each is asked in five views, so a point of R@1 is a dozen views. */
const mostHeldOut = 240

/** The two parts share no file content, under any name. UserError when too few can be read. */
export async function readQuantizePictures(
  folder: string,
  onSkipped: (path: string, reason: unknown) => void
): Promise<QuantizePictures> {
  const { root, paths, foreign } = await readPicturePaths(folder, '--pictures')
  const read = new Map<string, { picture: QuantizePicture; reference: Reference }>()
  for (const path of shuffled([...paths, ...foreign], createRandom(seed))) {
    if (read.size === mostCalibration + mostHeldOut) break
    try {
      const bytes = await readFile(join(root, path))
      await decodeImage(bytes)
      const sha256 = sha256Hex(bytes)
      read.set(sha256, {
        picture: { sha256, decode: async () => decodeImage(await readFile(join(root, path))) },
        reference: [await shrinkUserPicture(bytes)]
      })
    } catch (error) {
      onSkipped(path, error)
    }
  }
  if (read.size < fewestPictures)
    throw new UserError(
      `--pictures ${folder}: ${read.size} different pictures could be read, at least ${fewestPictures} are needed`
    )
  const all = [...read.values()]
  const calibrationCount = Math.min(mostCalibration, Math.floor(all.length / 3))
  const heldOut = all.slice(calibrationCount)
  return {
    calibration: all.slice(0, calibrationCount).map(({ picture }) => picture),
    heldOut: {
      pictures: heldOut.map(({ picture }) => picture),
      references: heldOut.map(({ reference }) => reference)
    }
  }
}
