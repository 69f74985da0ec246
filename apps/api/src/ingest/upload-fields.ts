// Which picture of an upload a field belongs to. Clients send the fields before their picture, or
// after it.
import {
  itemIdSchema,
  labelSchema,
  type Metadata,
  metadataSchema
} from '@likeness/shared/contract/item-list'
import { appError } from '@likeness/shared/errors'
import { checkText, shownName } from '../http/form-fields.ts'
import { parseJsonField } from '../http/json-field.ts'
import { parseRequest } from '../http/request-body.ts'

export interface Description {
  /** undefined: the sha256 of the bytes is the id. */
  id: string | undefined
  label: string | null
  metadata: Metadata | undefined
}

/** An empty text stands for no value. */
const readers: { [N in keyof Description]: (text: string) => Description[N] } = {
  id: (text) => (text === '' ? undefined : parseRequest(itemIdSchema, text)),
  label: (text) => (text === '' ? null : parseRequest(labelSchema, text)),
  metadata: (text) =>
    text === '' ? undefined : parseRequest(metadataSchema, parseJsonField('metadata', text))
}
const isKnown = (name: string): name is keyof Description => Object.hasOwn(readers, name)
const nothing: Description = { id: undefined, label: null, metadata: undefined }

/** Fields between two pictures. */
type Group = Partial<Description>
const isEmpty = (group: Group): boolean => Object.keys(group).length === 0

export interface UploadFields {
  /** invalid_request for an unknown field, a bad value, and a name that is given twice in a row. */
  add: (name: string, text: string) => void
  /** A picture has begun; `name` is the name of its part. */
  nextFile: (name: string) => void
  /** One for each picture, in order; invalid_request for a field that describes no picture. */
  describe: () => Description[]
}

export function createUploadFields(): UploadFields {
  /** groups[n] came before the n-th picture; the last group came after all of them. */
  const groups: Group[] = [{}]
  return {
    add(name, text) {
      if (!isKnown(name))
        throw appError(
          'invalid_request',
          `unknown field ${shownName(name)}; known are id, label, metadata, and files`
        )
      checkText(name, text)
      const group = groups.at(-1)!
      if (Object.hasOwn(group, name)) throw twice(name)
      Object.assign(group, { [name]: readers[name](text) })
    },
    nextFile(name) {
      if (isKnown(name))
        throw appError(
          'invalid_request',
          `field ${name} is sent as a file: send it as a text field, without a file name`
        )
      groups.push({})
    },
    describe: () => describe(groups)
  }
}

const twice = (name: string) =>
  appError('invalid_request', `field ${name} is given twice for the same picture`)

function describe(groups: readonly Group[]): Description[] {
  const [first, after] = [groups[0]!, groups.slice(1)]
  if (after.length === 0 || isEmpty(groups.at(-1)!)) return describeInOrder(groups.slice(0, -1))
  if (after.length === 1) return [{ ...nothing, ...joinGroups(first, after[0]!) }]
  if (isEmpty(first) && !after.some(isEmpty))
    return after.map((group) => ({ ...nothing, ...group }))
  throw appError(
    'invalid_request',
    `${Object.keys(groups.at(-1)!).join(', ')} after the last picture: send the fields before their picture, or after every picture`
  )
}

/** `label` and `metadata` hold until they are given again, `id` is for the next picture only. */
function describeInOrder(groups: readonly Group[]): Description[] {
  let now = nothing
  return groups.map((group) => (now = { ...now, id: undefined, ...group }))
}

function joinGroups(before: Group, after: Group): Group {
  const name = Object.keys(after).find((given) => Object.hasOwn(before, given))
  if (name !== undefined) throw twice(name)
  return { ...before, ...after }
}
