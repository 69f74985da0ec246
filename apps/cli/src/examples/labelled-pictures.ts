// A labelled set as an example: a table `path,label,role,bbox_xyxy,extra` beside the pictures.
// References with a box are cropped to the box.
import { constants } from 'node:fs'
import { copyFile, mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { listLine } from '@likeness/drawing/example-set'
import { messageOf } from '@likeness/shared/errors'
import { requirePictures } from '../gallery-config/find-picture.ts'
import { boxProblem, looksNormalised } from '@likeness/shared/contract/box-check'
import { openPicture } from '../pictures/open-picture.ts'
import { UserError } from '../user-error.ts'
import { defaultKind, labelsOf } from './example-query.ts'
import type { ExamplePictures } from './folder-pictures.ts'
import { type LabelledLine, readLabels } from './labels-table.ts'

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
  const lines = await readLabels(file)
  const references = lines.filter(({ role }) => role.startsWith('gallery') && roles.includes(role))
  const asked = roles.includes('query') ? lines.filter(({ role }) => role === 'query') : []
  if (references.length === 0 || asked.length === 0)
    throw new UserError(
      `${file}: no lines with the roles ${roles.join(', ')}; it has ${[...new Set(lines.map(({ role }) => role))].join(', ')}`
    )
  const files = await findFiles(file, [...references, ...asked])
  const imageRoot = join(workDir, 'pictures')
  await rm(imageRoot, { recursive: true, force: true })
  await mkdir(imageRoot, { recursive: true })
  const list: string[] = []
  for (const [at, line] of references.entries()) {
    const path = `${String(at).padStart(5, '0')}${line.box === undefined ? extname(line.path) : '.jpg'}`
    const isBrought = await bringReference(files[at]!, join(imageRoot, path), line.box).catch(
      (error: unknown) => {
        throw new UserError(`${file}:${line.line}: ${line.path}: ${messageOf(error)}`)
      }
    )
    if (isBrought)
      list.push(listLine({ path, label: line.label, more: fieldsOf?.(line.path) ?? [] }))
    else say(`${line.path}: the box ${line.box!.join('|')} shows nothing of the picture; left out`)
    onProgress?.(at + 1, references.length)
  }
  const dataFile = join(workDir, 'gallery.txt')
  await writeFile(dataFile, list.join(''))
  const queries = asked.map(({ path, label, box, extra }, at) => {
    const labels = labelsOf(label)
    return {
      name: path,
      file: files[references.length + at]!,
      labels,
      ...(box && { box }),
      fields: {},
      kind: extra !== '' && labels.length > 0 ? extra : defaultKind(labels)
    }
  })
  return { imageRoot, dataFile, queries }
}

/** UserError with the lines that lack a label or a picture. */
async function findFiles(table: string, used: readonly LabelledLine[]): Promise<string[]> {
  const unlabelled = used.find(({ label }) => label.trim() === '')
  if (unlabelled !== undefined)
    throw new UserError(`${table}:${unlabelled.line}: ${unlabelled.path} has no label`)
  return requirePictures(
    table,
    dirname(table),
    used.map(({ line, path, unquoted }) => ({
      line,
      path,
      ...(unquoted && { hint: 'a path or label with a comma needs quotes' })
    }))
  )
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
