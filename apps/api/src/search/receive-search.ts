// Reads a search: JSON with exactly one of vector, vectors, item_id, image_key; or a form with the
// picture and the same names as text.
import type { Request, Response } from 'express'
import { type SearchRequest, searchRequestSchema } from '@likeness/shared/contract/http/search'
import { appError, isAppError } from '@likeness/shared/errors'
import { checkBox } from '../http/check-box.ts'
import { readPictureForm } from '../http/picture-form.ts'
import { isJson, isMultipart, parseRequest, readJson } from '../http/request-body.ts'

export interface ReceivedSearch {
  request: SearchRequest
  picture: Uint8Array | undefined
}

const asJson = new Set([
  'vector',
  'box',
  'k',
  'score_thres',
  'search_budget',
  'hamming_radius',
  'min_seq',
  'max_objects',
  'detector_threshold',
  'nms_iou',
  'filter',
  'exclude',
  'group_size',
  'tiles',
  'detect_tiles',
  'exclude_same',
  'cohort_weight',
  'metadata',
  'weights'
])

const isSwitch = (text: unknown): boolean => text === 'true' || text === 'false'

/** invalid_vector for every error inside `vector`. */
function parseSearch(body: unknown): SearchRequest {
  try {
    return parseRequest(searchRequestSchema, body)
  } catch (error) {
    const issues = isAppError(error, 'invalid_request')
      ? (error.detail?.issues as { path: string; message: string }[] | undefined)
      : undefined
    const inVector = issues?.find(({ path }) => /^vectors?(\.|$)/.test(path))
    if (inVector !== undefined)
      throw appError('invalid_vector', `${inVector.path.split('.')[0]}: ${inVector.message}`, {
        detail: { issues: [inVector] }
      })
    throw error
  }
}

function checkSources({ request, picture }: ReceivedSearch): ReceivedSearch {
  const sources = [
    request.vector,
    request.vectors,
    request.item_id,
    request.image_key,
    picture
  ].filter((source) => source !== undefined).length
  if (sources !== 1)
    throw appError(
      'invalid_request',
      'give exactly one of vector, vectors, item_id, image_key, or a picture in the form field `image`'
    )
  if (request.box !== undefined) {
    checkBox('box', request.box)
    if (picture === undefined && request.image_key === undefined)
      throw appError('invalid_request', 'box is for pictures')
  }
  return { request, picture }
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
    const { fields, picture } = await readPictureForm(req, { maxBytes, asJson })
    const { rerank } = fields
    return checkSources({
      request: parseSearch({ ...fields, ...(isSwitch(rerank) && { rerank: rerank === 'true' }) }),
      picture
    })
  }
  if (!isJson(req))
    throw appError(
      'unsupported_media_type',
      'send application/json, or multipart/form-data with a picture'
    )
  return checkSources({ request: parseSearch(await readSearchJson(req, res)), picture: undefined })
}
