// Parses storage forms for the addon. Their table is packages/shared/src/contract/storage-forms.ts.
import {
  findStorageForm,
  type StorageFormName,
  storageText,
  type VectorStorage
} from '@likeness/shared/contract/storage-forms'
import { invalidArgument } from './faiss-error.ts'

/** `parts` is 0 for forms without parts. */
export function parseStorage(
  storage: VectorStorage,
  dim: number
): { form: StorageFormName; parts: number } {
  const found = findStorageForm(storage)
  if (found === undefined)
    throw invalidArgument(`storage must be ${storageText}, not ${String(storage)}`)
  if (found.parts > 0 && dim % found.parts !== 0)
    throw invalidArgument(`${storage}: ${found.parts} does not divide dim ${dim}`)
  return found
}
