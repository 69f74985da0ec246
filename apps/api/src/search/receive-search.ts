// Reads a search: JSON with exactly one of vector, vectors, item_id, image_key, examples; or a form
// with pictures and the same names as text.
import type { Request, Response } from 'express'
import { type SearchRequest, searchRequestSchema } from '@likeness/shared/contract/http/search'
import { appError, isAppError } from '@likeness/shared/errors'
import { maxExamples } from '@likeness/shared/contract/limits'
import { checkBox } from '../http/check-box.ts'
import { readPictureForm } from '../http/picture-form.ts'
import { isJson, isMultipart, parseRequest, readJson } from '../http/request-body.ts'
import { type SearchExamples, searchExamplesOf } from './search-examples.ts'

export interface ReceivedSearch {
  request: SearchRequest
  picture: Uint8Array | undefined
  /** Present in a search by examples. */
  examples?: SearchExamples
}

const asJson = new Set([
  'vector',
  'box',
  'k',
  'score_thres',
  'search_budget',
  'exact',
  'hamming_radius',
  'min_seq',
  'max_objects',
  'detector_threshold',
  'nms_iou',
  'filter',
  'exclude',
  'group_size',
  'query_views',
  'tiles',
  'detect_tiles',
  'exclude_same',
  'cohort_weight',
  'metadata',
  'weights',
  'examples'
])

const isSwitch = (text: unknown): boolean => text === 'true' || text === 'false'

/** A vector among the fields, or of an example. */
const vectorPath = /^(vectors?|examples\.\w+\.\d+\.vector)(?:\.|$)/

/** invalid_vector for every error inside a vector. */
function parseSearch(body: unknown): SearchRequest {
  try {
    return parseRequest(searchRequestSchema, body)
  } catch (error) {
    const issues = isAppError(error, 'invalid_request')
      ? (error.detail?.issues as { path: string; message: string }[] | undefined)
      : undefined
    const inVector = issues?.find(({ path }) => vectorPath.test(path))
    if (inVector !== undefined)
      throw appError(
        'invalid_vector',
        `${vectorPath.exec(inVector.path)![1]}: ${inVector.message}`,
        {
          detail: { issues: [inVector] }
        }
      )
    throw error
  }
}

/** Pictures of the form fields `image` and `negative`. */
interface SentPictures {
  image: readonly Uint8Array[]
  negative: readonly Uint8Array[]
}

function checkSources(request: SearchRequest, sent: SentPictures): ReceivedSearch {
  const isByExamples =
    request.examples !== undefined || sent.image.length > 1 || sent.negative.length > 0
  const examples = isByExamples ? searchExamplesOf(request, sent.image, sent.negative) : undefined
  const picture = isByExamples ? undefined : sent.image[0]
  const sources = [
    request.vector,
    request.vectors,
    request.item_id,
    request.image_key,
    picture,
    examples
  ].filter((source) => source !== undefined).length
  if (sources !== 1)
    throw appError(
      'invalid_request',
      'give exactly one of vector, vectors, item_id, image_key, examples, or pictures in the form field `image`'
    )
  if (request.box !== undefined) {
    checkBox('box', request.box)
    if (picture === undefined && request.image_key === undefined)
      throw appError('invalid_request', 'box is for a search with one picture')
  }
  return { request, picture, ...(examples && { examples }) }
}

/**
 * Some clients write NaN and Infinity into JSON. The answer is invalid_vector, not a syntax error.
 */
async function readSearchJson(req: Request, res: Response): Promise<unknown> {
  try {
    return await readJson(req, res)
  } catch (error) {
    const { type, body } = error as { type?: unknown; body?: unknown }
    if (type === 'entity.parse.failed' && /\b(NaN|Infinity)\b/.test(String(body)))
      throw appError('invalid_vector', 'vector is an array of finite numbers')
    throw error
  }
}

export async function receiveSearch(
  req: Request,
  res: Response,
  maxBytes: number
): Promise<ReceivedSearch> {
  if (isMultipart(req)) {
    const form = { asJson, files: ['image', 'negative'], mostFiles: maxExamples }
    const { fields, pictures } = await readPictureForm(req, { ...form, maxBytes })
    const { rerank } = fields
    return checkSources(
      parseSearch({ ...fields, ...(isSwitch(rerank) && { rerank: rerank === 'true' }) }),
      { image: pictures['image']!, negative: pictures['negative']! }
    )
  }
  if (!isJson(req))
    throw appError(
      'unsupported_media_type',
      'send application/json, or multipart/form-data with a picture'
    )
  return checkSources(parseSearch(await readSearchJson(req, res)), { image: [], negative: [] })
}
