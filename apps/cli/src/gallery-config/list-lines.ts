// Reads the lines of a user's list.
import { createReadStream } from 'node:fs'
import { maxListLineBytes } from '@likeness/shared/contract/limits'
import { readTextLines, type TextLine } from '@likeness/shared/data/text-lines'
import { UserError } from '../user-error.ts'

/** Yields every line that is not blank. UserError for a file that cannot be read. */
export async function* readListLines(file: string): AsyncGenerator<TextLine> {
  try {
    yield* readTextLines(createReadStream(file), { maxLineBytes: maxListLineBytes })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new UserError(`${file} cannot be read (${code})`)
  }
}
