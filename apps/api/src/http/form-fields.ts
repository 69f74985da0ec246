// The fields of a form, each at most once.
import { appError } from '@likeness/shared/errors'

/** invalid_request for a text that lost characters: bytes that are not UTF-8 are read as U+FFFD. */
export function checkText(name: string, text: string): void {
  if (text.includes('\uFFFD'))
    throw appError('invalid_request', `field ${shownName(name)} is not UTF-8`)
}

export const shownName = (name: string): string => JSON.stringify(name.slice(0, 50))

export interface FormFields {
  /** invalid_request for a name that was given before, and for a name that no field has. */
  add: (name: string, text: string) => void
  /** The texts by name. */
  values: () => Record<string, string>
}

/** `files`: the fields of the form that are files. */
export function createFormFields(...files: readonly string[]): FormFields {
  const fields = new Map<string, string>()
  return {
    add(name, text) {
      if (fields.has(name))
        throw appError('invalid_request', `field ${shownName(name)} is given twice`)
      // Schemas pass over this name without a word.
      if (name === '__proto__')
        throw appError('invalid_request', `unknown field ${shownName(name)}`)
      if (files.includes(name))
        throw appError('invalid_request', `field ${name} is sent as text: send it as a file`)
      checkText(name, text)
      fields.set(name, text)
    },
    values: () => Object.fromEntries(fields)
  }
}
