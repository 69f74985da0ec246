// Looks for subjects in overlapping tiles of a picture, and merges those that were found twice.
import { iouOf } from '@likeness/shared/contract/box-overlap'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Size } from '../picture/letterbox.ts'
import { cropPicture } from '../picture/picture-parts.ts'
import type { EmbedResult, Subject } from '../runtime/embed-runs.ts'

/** Overlap above which two boxes are the same subject, seen twice. */
const sameSubjectIou = 0.5
/** Fraction of a tile's side. A box nearer than this to an inner edge is cut off there. */
const edgeShare = 0.01

/** Returns `grid` x `grid` boxes that cover the picture; each overlaps the next by half. */
export function tileBoxes({ width, height }: Size, grid: number): Subject['box'][] {
  const [w, h] = [(2 * width) / (grid + 1), (2 * height) / (grid + 1)]
  return Array.from({ length: grid * grid }, (_, i): Subject['box'] => {
    const [left, top] = [((i % grid) * w) / 2, (Math.floor(i / grid) * h) / 2]
    return [left, top, Math.min(width, left + w), Math.min(height, top + h)]
  })
}

/**
 * Moves a box from the tile at (left, top) to the picture; undefined for a subject that the tile
 * cuts off.
 */
export function fromTile(
  subject: Subject,
  tile: Size & { left: number; top: number },
  picture: Size
): Subject | undefined {
  const [x1, y1, x2, y2] = subject.box
  const [near, nearY] = [edgeShare * tile.width, edgeShare * tile.height]
  const isCut =
    (x1 < near && tile.left > 0) ||
    (y1 < nearY && tile.top > 0) ||
    (x2 > tile.width - near && tile.left + tile.width < picture.width) ||
    (y2 > tile.height - nearY && tile.top + tile.height < picture.height)
  return isCut
    ? undefined
    : { ...subject, box: [x1 + tile.left, y1 + tile.top, x2 + tile.left, y2 + tile.top] }
}

/** Returns at most so many subjects, best first, each with its best box. */
export function mergeSubjects(subjects: readonly Subject[], most: number): Subject[] {
  const kept: Subject[] = []
  for (const one of [...subjects].sort((a, b) => b.score - a.score)) {
    if (kept.length === most) break
    if (kept.every((better) => iouOf(better.box, one.box) <= sameSubjectIou)) kept.push(one)
  }
  return kept
}

/**
 * Finds the subjects of the tiles of each grid, at their places in the picture, unmerged. `embed`
 * runs the model for a tile.
 */
export async function detectInTiles(
  image: DecodedImage,
  grids: readonly number[],
  embed: (tile: DecodedImage) => Promise<Pick<EmbedResult, 'subjects'>>
): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (const box of grids.flatMap((grid) => tileBoxes(image, grid))) {
    const { image: tile, left, top } = cropPicture(image, box)
    const found = await embed(tile)
    const place = { left, top, width: tile.width, height: tile.height }
    subjects.push(...found.subjects.flatMap((subject) => fromTile(subject, place, image) ?? []))
  }
  return subjects
}
