// Finds the pictures that a list names, whichever way their paths are written.
import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { meaningsOf, whyOutside } from '@likeness/shared/data/picture-path'
import { UserError } from '../user-error.ts'

/**
 * Returns the path of a picture below the folder, relative, with `/`; undefined when the written
 * path leads out. Where no file is found, returns the most likely path.
 */
export type FindPicture = (written: string) => Promise<string | undefined>

const problemsShown = 10

export const isFile = async (path: string): Promise<boolean> =>
  path.length <= 4096 &&
  !path.includes('\0') &&
  ((await stat(path).catch(() => undefined))?.isFile() ?? false)

/** Without a folder, no file is looked for. */
export async function pictureFinder(folder: string | undefined): Promise<FindPicture> {
  if (folder === undefined) return async (written) => meaningsOf(written)[0]
  const folders = [folder, await realpath(folder).catch(() => folder)]
  return async (written) => {
    const meanings = meaningsOf(written, folders)
    if (meanings.length > 1)
      for (const path of meanings) if (await isFile(join(folder, path))) return path
    return meanings[0]
  }
}

export interface NamedPicture {
  line: number
  path: string
  /** What may be wrong with the line when there is no such file. */
  hint?: string
}

/**
 * Returns the absolute path of each picture; UserError with the lines of those that are no file.
 * `list`: the file that names them.
 */
export async function requirePictures(
  list: string,
  folder: string,
  named: readonly NamedPicture[]
): Promise<string[]> {
  const find = await pictureFinder(folder)
  const files: string[] = []
  const problems: string[] = []
  for (const { line, path, hint } of named) {
    const found = await find(path)
    const file = join(folder, found ?? '')
    if (found === undefined) problems.push(`${list}:${line}: ${whyOutside(path, folder)}`)
    else if (!(await isFile(file)))
      problems.push(
        `${list}:${line}: ${path} is no file below ${folder}${hint === undefined ? '' : `: ${hint}`}`
      )
    files.push(file)
  }
  if (problems.length === 0) return files
  const more = problems.length - problemsShown
  throw new UserError(
    [
      ...problems.slice(0, problemsShown),
      ...(more > 0 ? [`and ${more} more lines without a picture`] : [])
    ].join('\n')
  )
}
