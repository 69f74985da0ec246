// A folder of pictures with the boxes of their things: `labels.csv`, or a YOLO data set.
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Box } from '@likeness/shared/contract/embedder'
import { maxLabelsFileBytes } from '@likeness/shared/contract/limits'
import { boxProblem } from '@likeness/shared/contract/box-check'
import { readLabels } from '../examples/labels-table.ts'
import { isFile, requirePictures } from '../gallery-config/find-picture.ts'
import { readPicturePaths } from '../pictures/folder-gallery.ts'
import { UserError } from '../user-error.ts'
import { labelsFile } from './eval-options.ts'
import { labelPathOf, parseYoloLabels } from './yolo-labels.ts'

export interface BoxedPicture {
  name: string
  file: string
  /** Boxes of its things in pixels, at least one, for an upright picture of that size. */
  boxesIn: (size: { width: number; height: number }) => Box[]
}

/** UserError for a folder without boxes, and for lines that cannot be read. */
export async function openDetectionSet(folder: string): Promise<BoxedPicture[]> {
  const table = labelsFile(folder)
  const listed = table === undefined ? [] : await openTable(table)
  if (listed.length > 0) return listed
  const pictures = await openYolo(folder)
  if (pictures.length > 0) return pictures
  throw new UserError(
    `${folder}: there are no boxes in it: neither a labels.csv with bbox_xyxy, nor YOLO label files (labels/NAME.txt for images/NAME.jpg)`
  )
}

/** Lines of one picture are its things, whatever their role. Lines without a box do not count. */
async function openTable(table: string): Promise<BoxedPicture[]> {
  const lines = (await readLabels(table)).filter(({ box }) => box !== undefined)
  const files = await requirePictures(table, dirname(table), lines)
  const pictures = new Map<string, { name: string; boxes: Box[] }>()
  for (const [at, { line, path, box }] of lines.entries()) {
    const problem = boxProblem(box!)
    if (problem !== undefined) throw new UserError(`${table}:${line}: ${problem}`)
    const picture = pictures.get(files[at]!) ?? { name: path, boxes: [] }
    picture.boxes.push(box!)
    pictures.set(files[at]!, picture)
  }
  return [...pictures].map(([file, { name, boxes }]) => ({ name, file, boxesIn: () => boxes }))
}

async function openYolo(folder: string): Promise<BoxedPicture[]> {
  const { root, paths } = await readPicturePaths(folder, '--detect')
  const pictures: BoxedPicture[] = []
  for (const name of paths) {
    const labels = join(root, labelPathOf(name))
    if (!(await isFile(labels))) continue
    const { size } = await stat(labels)
    if (size > maxLabelsFileBytes)
      throw new UserError(`${labels} has ${size} bytes, at most ${maxLabelsFileBytes} are read`)
    const parts = parseYoloLabels(await readFile(labels, 'utf8'), labels)
    if (parts.length > 0)
      pictures.push({
        name,
        file: join(root, name),
        boxesIn: ({ width, height }) =>
          parts.map(([x1, y1, x2, y2]) => [x1 * width, y1 * height, x2 * width, y2 * height])
      })
  }
  return pictures
}
