// The examples of a search as they were sent: in JSON, and as files of a form.
import type { Example, Examples, SearchRequest } from '@likeness/shared/contract/http/search'
import { beyondLimit, maxExamples } from '@likeness/shared/contract/limits'
import type { Box } from '@likeness/shared/contract/embedder'
import { appError } from '@likeness/shared/errors'
import { checkBox } from '../http/check-box.ts'

/** `name`: the place in the request, for messages. */
export type SearchExample = { name: string; isNegative: boolean } & (
  | { kind: 'item'; id: string }
  | { kind: 'vector'; vector: NonNullable<Example['vector']> }
  | { kind: 'picture'; source: Uint8Array | { imageKey: string }; box?: Box }
)
export interface SearchExamples {
  strategy: Examples['strategy']
  /** Positive ones first. */
  examples: SearchExample[]
}

/** invalid_request for examples that are none or two things, and without a positive one. */
export function searchExamplesOf(
  { examples: given = { positive: [], negative: [], strategy: 'mean' } }: SearchRequest,
  images: readonly Uint8Array[],
  negatives: readonly Uint8Array[]
): SearchExamples {
  const { positive, negative, strategy } = given
  const ofFiles = (name: string, files: readonly Uint8Array[]): SearchExample[] =>
    files.map((source, i) => ({
      name: `${name} ${i + 1}`,
      isNegative: name === 'negative',
      kind: 'picture',
      source
    }))
  const examples = [
    ...positive.map((example, i) => readExample(example, `examples.positive.${i}`, false)),
    ...ofFiles('image', images),
    ...negative.map((example, i) => readExample(example, `examples.negative.${i}`, true)),
    ...ofFiles('negative', negatives)
  ]
  if (examples.length > maxExamples) throw beyondLimit('maxExamples', examples.length)
  if (examples.every(({ isNegative }) => isNegative))
    throw appError('invalid_request', 'examples: at least one positive example is needed')
  return { strategy, examples }
}

function readExample(
  { item_id: id, image_key: imageKey, vector, box }: Example,
  name: string,
  isNegative: boolean
): SearchExample {
  if ([id, imageKey, vector].filter((source) => source !== undefined).length !== 1)
    throw appError(
      'invalid_request',
      `${name}: an example is exactly one of item_id, image_key and vector`
    )
  if (box !== undefined) {
    checkBox(`${name}.box`, box)
    if (imageKey === undefined)
      throw appError('invalid_request', `${name}: box is for a picture (image_key)`)
  }
  const place = { name, isNegative }
  if (id !== undefined) return { ...place, kind: 'item', id }
  if (vector !== undefined) return { ...place, kind: 'vector', vector }
  return { ...place, kind: 'picture', source: { imageKey: imageKey! }, ...(box && { box }) }
}
