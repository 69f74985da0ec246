// What a judge is, and the judgement most of them share: a damaged file is refused, by its name.
import { isAppError } from '@likeness/shared/errors'
import type { DamagedGallery } from './damaged-gallery.ts'

/** undefined: as it must be; else what was wrong. */
export type Judge = (damaged: DamagedGallery, key: string) => Promise<string | undefined>

const messagesOf = (error: unknown): string =>
  error instanceof Error
    ? `${error.message}; ${error.cause === undefined ? '' : messagesOf(error.cause)}`
    : String(error)
const corrupt = (error: unknown): boolean =>
  isAppError(error, 'data_corrupt') ||
  (error instanceof Error && error.cause !== undefined && corrupt(error.cause))
/** `named`: the error must say which object it is. */
export async function mustRefuse(
  who: string,
  key: string,
  act: () => Promise<unknown>
): Promise<string | undefined> {
  try {
    const answer = await act()
    return `${who} does not refuse it: ${JSON.stringify(answer)}`
  } catch (error) {
    if (!corrupt(error)) return `${who} fails with something else: ${messagesOf(error)}`
    return messagesOf(error).includes(key)
      ? undefined
      : `${who} does not name it: ${messagesOf(error)}`
  }
}

export const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
