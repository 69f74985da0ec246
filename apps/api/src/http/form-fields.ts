// The fields of a form, each at most once.
import { appError } from '@likeness/shared/errors'

export const shownName = (name: string): string => JSON.stringify(name.slice(0, 50))

export interface FormFields {
  /** invalid_request for a name that was given before, and for a name that no field has. */
  add: (name: string, text: string) => void
  /** The texts by name. */
  values: () => Record<string, string>
}

export function createFormFields(): FormFields {
  const fields = new Map<string, string>()
  return {
    add(name, text) {
      if (fields.has(name))
        throw appError('invalid_request', `field ${shownName(name)} is given twice`)
      // Schemas pass over this name without a word.
      if (name === '__proto__')
        throw appError('invalid_request', `unknown field ${shownName(name)}`)
      fields.set(name, text)
    },
    values: () => Object.fromEntries(fields)
  }
}
