// `likeness search`: searches a picture, or every picture of a folder, with the settings of the
// gallery's yaml.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { ApiProblem } from '../api/api-problem.ts'
import { galleryOptions, galleryUsage, parseCommand, required } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { loadSearchedGallery } from '../gallery-config/load-gallery-config.ts'
import { UserError } from '../user-error.ts'
import { weightsOverride } from '../weights-option.ts'
import { formatAnswer, jsonAnswer, printable } from './format-answer.ts'
import { type PictureFields, searchPicture } from './search-picture.ts'
import type { SheetEntry } from './search-sheet.ts'

export const searchUsage = `likeness search -c FILE.yaml (--image FILE | --dir DIR) [options]
  --image FILE   a picture to search for; may be given several times
  --dir DIR      every picture below a folder
  --field A=v    what is known of the picture(s): hits with the same value of an \`exclude\` field are left out
  --weights P=n  weights of the parts of the embedding: kind=0.5,instance=1
  --sheet FILE   an HTML page with the boxes and the hits
${galleryUsage}`

const pictureName = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp)$/i

/** Exit code 0 when every picture was searched, known or unknown; 1 when a picture failed. */
export async function runSearch(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseCommand(args, {
    options: {
      ...galleryOptions,
      image: { type: 'string', multiple: true, default: [] },
      dir: { type: 'string' },
      field: { type: 'string', multiple: true, default: [] },
      weights: { type: 'string' },
      sheet: { type: 'string' }
    },
    usage: searchUsage
  })
  const config = await loadSearchedGallery(
    fromCallersFolder(required(values.config, '-c FILE', searchUsage)),
    { overrides: [...values.override, ...weightsOverride(values.weights)] }
  )
  const pictures = await findPictures(values.image, values.dir)
  const fields = parseFields(values.field)
  for (const warning of config.warnings) context.say(warning)
  const api = await connect(context, values)
  if ((await api.getCollection(config.collection)) === undefined)
    throw new UserError(
      `the collection ${config.collection} does not exist: \`likeness build -c ${values.config}\` makes it`
    )
  const entries: SheetEntry[] = []
  let failed = 0
  for (const { name, file } of pictures) {
    try {
      const image = await readFile(file)
      const answer = await keepTrying(() => searchPicture(api, config, image, { fields }))
      context.print(
        values.json ? JSON.stringify(jsonAnswer(name, answer)) : formatAnswer(name, answer)
      )
      if (values.sheet !== undefined) entries.push({ name, image, answer })
    } catch (error) {
      failed++
      context.print(
        values.json
          ? JSON.stringify(failureOf(name, error))
          : `${printable(name)}\n  failed: ${failureOf(name, error).message}`
      )
    }
  }
  if (values.sheet !== undefined) {
    const sheet = fromCallersFolder(values.sheet)
    const { renderSearchSheet } = await import('./search-sheet.ts')
    await writeFile(
      sheet,
      await renderSearchSheet(
        api,
        `${config.collection}: ${describe(entries.map(({ answer }) => answer))}`,
        entries
      )
    )
    context.say(`sheet: ${sheet}`)
  }
  return failed === 0 ? 0 : 1
}

/** Describes a picture that cannot be searched. An error with another cause ends the command. */
function failureOf(file: string, error: unknown): { file: string; code: string; message: string } {
  if (
    error instanceof ApiProblem &&
    error.status < 500 &&
    error.status !== 401 &&
    error.status !== 404 &&
    error.code !== 'embedding_mismatch'
  )
    return { file, code: error.code, message: error.message }
  const { code } = error as NodeJS.ErrnoException
  if (
    !(error instanceof ApiProblem) &&
    (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
  )
    return {
      file,
      code: 'image_missing',
      message: `image_missing: ${file} cannot be read (${code})`
    }
  throw error
}

const describe = (answers: readonly SearchAnswer[]): string =>
  `${answers.length} pictures, ${answers.filter(({ hits }) => hits.length > 0).length} recognised`

async function findPictures(
  images: readonly string[],
  dir: string | undefined
): Promise<{ name: string; file: string }[]> {
  if (images.length === 0 && dir === undefined)
    throw new UserError(`--image or --dir is missing\n${searchUsage}`)
  const named = images.map((name) => ({ name, file: fromCallersFolder(name) }))
  for (const { name, file } of named) {
    if (!(await stat(file).catch(() => undefined))?.isFile())
      throw new UserError(`--image ${name}: there is no such file`)
  }
  return dir === undefined ? named : [...named, ...(await walk(dir))]
}

async function walk(dir: string): Promise<{ name: string; file: string }[]> {
  const root = fromCallersFolder(dir)
  if (!(await stat(root).catch(() => undefined))?.isDirectory())
    throw new UserError(`--dir ${dir}: there is no such folder`)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && pictureName.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  if (files.length === 0)
    throw new UserError(`--dir ${dir}: no pictures (jpg, png, webp, gif, tiff, avif) below it`)
  return files.sort().map((file) => ({ name: relative(root, file), file }))
}

function parseFields(texts: readonly string[]): PictureFields {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const at = text.indexOf('=')
      if (at < 1) throw new UserError(`--field ${text}: write NAME=VALUE`)
      return [text.slice(0, at), text.slice(at + 1)]
    })
  )
}
