// The text file of a picture in a YOLO data set: a line for each thing, `class x y width height` as
// fractions of the picture, or `class x1 y1 x2 y2 x3 y3 ...` for an outline.
import type { Box } from '@likeness/shared/contract/embedder'
import { UserError } from '../user-error.ts'

/** A box or an outline of fewer corners has no area. */
const fewestCorners = 3
/** Rounding puts edges a little outside. */
const slack = 0.01

/**
 * Path of the label file of a picture: the last folder `images` becomes `labels`. Without such a
 * folder the file lies beside the picture.
 */
export function labelPathOf(picture: string): string {
  const folders = picture.split('/')
  const name = folders.pop()!.replace(/\.[^.]*$/, '.txt')
  const at = folders.lastIndexOf('images')
  if (at >= 0) folders[at] = 'labels'
  return [...folders, name].join('/')
}

/** Returns boxes as fractions of the picture, inside it. UserError with the line number. */
export function parseYoloLabels(text: string, file: string): Box[] {
  return text.split(/\r\n|[\r\n]/).flatMap((line, at): Box[] => {
    const [, ...words] = line.trim().split(/\s+/)
    if (line.trim() === '') return []
    const numbers = words.map(Number)
    const isOutline = numbers.length >= 2 * fewestCorners && numbers.length % 2 === 0
    if (
      !(numbers.length === 4 || isOutline) ||
      numbers.some((value) => !(value >= -slack && value <= 1 + slack))
    )
      throw new UserError(
        `${file}:${at + 1}: expected is a class and x y width height, or the corners of an outline, all from 0 to 1, not ${JSON.stringify(line.slice(0, 100))}`
      )
    const box = isOutline ? aroundCorners(numbers) : aroundMiddle(numbers)
    const inside = box.map((edge) => Math.min(1, Math.max(0, edge))) as Box
    return inside[2] > inside[0] && inside[3] > inside[1] ? [inside] : []
  })
}

function aroundMiddle(numbers: readonly number[]): Box {
  const [x, y, width, height] = numbers as [number, number, number, number]
  return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
}

function aroundCorners(numbers: readonly number[]): Box {
  const xs = numbers.filter((_, i) => i % 2 === 0)
  const ys = numbers.filter((_, i) => i % 2 === 1)
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
