// A labelled set as an example: a table `path,label,role,bbox_xyxy,extra` beside the pictures.
// References with a box are cropped to the box.
import { constants } from 'node:fs'
import { copyFile, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { listLine } from '@likeness/drawing/example-set'
import { boxProblem, looksNormalised } from '@likeness/shared/contract/box-check'
import { openPicture } from '../pictures/open-picture.ts'
import { UserError } from '../user-error.ts'
import { defaultKind, labelsOf } from './example-query.ts'
import type { ExamplePictures } from './folder-pictures.ts'

export interface LabelledLine {
  path: string
  label: string
  role: string
  /** Pixels: x1, y1, x2, y2. */
  box: [number, number, number, number] | undefined
  extra: string
}

const header = 'path,label,role,bbox_xyxy,extra'

/** Commas are allowed in the path only. UserError with the line number for any other line. */
export function parseLabels(text: string, file: string): LabelledLine[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  if (lines[0] !== header) throw new UserError(`${file}:1: the first line must be ${header}`)
  return lines.flatMap((line, at) => {
    if (at === 0 || line === '') return []
    const fields = line.split(',')
    if (fields.length < 5) throw new UserError(`${file}:${at + 1}: five fields are expected`)
    const [label, role, boxText, extra] = fields.slice(-4) as [string, string, string, string]
    const numbers = boxText === '' ? undefined : boxText.split('|').map(Number)
    if (numbers !== undefined && (numbers.length !== 4 || numbers.some(Number.isNaN)))
      throw new UserError(`${file}:${at + 1}: the box must be x1|y1|x2|y2`)
    return [
      {
        path: fields.slice(0, -4).join(','),
        label,
        role,
        box: numbers as LabelledLine['box'],
        extra
      }
    ]
  })
}

export interface LabelledSource {
  file: string
  /** Roles to use: a role that begins with `gallery` goes into the gallery, `query` is asked. */
  roles: readonly string[]
  /** Folder for crops and copies of the references. */
  workDir: string
  /** Further fields of a reference's line. */
  fieldsOf?: (path: string) => string[]
  onProgress?: (done: number, total: number) => void
  /** Called for references that are left out because their box does not overlap the picture. */
  say: (text: string) => void
}

export async function openLabelled({
  file,
  roles,
  workDir,
  fieldsOf,
  onProgress,
  say
}: LabelledSource): Promise<ExamplePictures> {
  const lines = parseLabels(await readFile(file, 'utf8'), file)
  const references = lines.filter(({ role }) => role.startsWith('gallery') && roles.includes(role))
  const asked = roles.includes('query') ? lines.filter(({ role }) => role === 'query') : []
  if (references.length === 0 || asked.length === 0)
    throw new UserError(
      `${file}: no lines with the roles ${roles.join(', ')}; it has ${[...new Set(lines.map(({ role }) => role))].join(', ')}`
    )
  const root = dirname(file)
  const imageRoot = join(workDir, 'pictures')
  await rm(imageRoot, { recursive: true, force: true })
  await mkdir(imageRoot, { recursive: true })
  const list: string[] = []
  for (const [at, line] of references.entries()) {
    const path = `${String(at).padStart(5, '0')}${line.box === undefined ? extname(line.path) : '.jpg'}`
    const isBrought = await bringReference(join(root, line.path), join(imageRoot, path), line.box)
    if (isBrought)
      list.push(listLine({ path, label: line.label, more: fieldsOf?.(line.path) ?? [] }))
    else say(`${line.path}: the box ${line.box!.join('|')} shows nothing of the picture; left out`)
    onProgress?.(at + 1, references.length)
  }
  const dataFile = join(workDir, 'gallery.txt')
  await writeFile(dataFile, list.join(''))
  const queries = asked.map(({ path, label, box, extra }) => {
    const labels = labelsOf(label)
    return {
      name: path,
      file: join(root, path),
      labels,
      ...(box && { box }),
      fields: {},
      kind: extra !== '' && labels.length > 0 ? extra : defaultKind(labels)
    }
  })
  return { imageRoot, dataFile, queries }
}

/**
 * Copies or crops a reference, with the times of its source: the same references are not built
 * again.
 */
async function bringReference(
  from: string,
  to: string,
  box: LabelledLine['box']
): Promise<boolean> {
  const isBrought = await copyOrCrop(from, to, box)
  if (!isBrought) return false
  const { atime, mtime } = await stat(from)
  await utimes(to, atime, mtime)
  return true
}

async function copyOrCrop(from: string, to: string, box: LabelledLine['box']): Promise<boolean> {
  if (box === undefined) {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    return true
  }
  // Single boxes without an area stand in real tables; fractions stand in all lines or in none.
  if (looksNormalised(box)) throw new UserError(`${from}: ${boxProblem(box)}`)
  if (boxProblem(box) !== undefined) return false
  const { autoOrient } = await openPicture(from).metadata()
  const [left, top] = [Math.max(0, Math.floor(box[0])), Math.max(0, Math.floor(box[1]))]
  const [right, bottom] = [
    Math.min(autoOrient.width, Math.ceil(box[2])),
    Math.min(autoOrient.height, Math.ceil(box[3]))
  ]
  if (right <= left || bottom <= top) return false
  await openPicture(from)
    .autoOrient()
    .extract({ left, top, width: right - left, height: bottom - top })
    .jpeg({ quality: 95 })
    .toFile(to)
  return true
}
