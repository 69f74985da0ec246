// Reads a search: JSON with one of vector, vectors, item_id, image_key; or a form with the picture and the same names as text.
import type { Readable } from 'node:stream'
import type { Request, Response } from 'express'
import { searchRequestSchema } from '@likeness/shared/contract/http'
import type { SearchRequest } from '@likeness/shared/contract/http'
import { appError, isAppError } from '@likeness/shared/errors'
import { readMultipart } from '../http/multipart.ts'
import { isJson, isMultipart, parseRequest, readJson } from '../http/request-body.ts'
import { parseJsonField } from '../ingest/receive-upload.ts'

export interface ReceivedSearch {
  request: SearchRequest
  picture: Uint8Array | undefined
}

const asJson = new Set(['vector', 'box', 'k', 'score_thres', 'search_budget', 'hamming_radius', 'min_seq', 'max_objects', 'detector_threshold', 'nms_iou', 'filter', 'exclude', 'group_size'])

/** invalid_vector for whatever is wrong inside `vector`. */
function parseSearch(body: unknown): SearchRequest {
  try {
    return parseRequest(searchRequestSchema, body)
  } catch (error) {
    const issues = isAppError(error, 'invalid_request') ? (error.detail?.issues as { path: string; message: string }[] | undefined) : undefined
    const inVector = issues?.find(({ path }) => /^vectors?(\.|$)/.test(path))
    if (inVector !== undefined) throw appError('invalid_vector', `${inVector.path.split('.')[0]}: ${inVector.message}`, { detail: { issues: [inVector] } })
    throw error
  }
}

function checkSources({ request, picture }: ReceivedSearch): ReceivedSearch {
  const sources = [request.vector, request.vectors, request.item_id, request.image_key, picture].filter((source) => source !== undefined).length
  if (sources !== 1) throw appError('invalid_request', 'give exactly one of vector, vectors, item_id, image_key, or a picture in the form field `image`')
  if (request.box !== undefined) {
    const [x1, y1, x2, y2] = request.box
    if (!(x1 < x2 && y1 < y2)) throw appError('invalid_request', 'box is [x1, y1, x2, y2] with x1 < x2 and y1 < y2')
    if (picture === undefined && request.image_key === undefined) throw appError('invalid_request', 'box is for pictures')
  }
  return { request, picture }
}

/** Some clients write NaN and Infinity into JSON; that is a bad vector, not bad syntax. */
async function readSearchJson(req: Request, res: Response): Promise<unknown> {
  try {
    return await readJson(req, res)
  } catch (error) {
    const { type, body } = error as { type?: unknown; body?: unknown }
    if (type === 'entity.parse.failed' && /\b(NaN|Infinity)\b/.test(String(body))) throw appError('invalid_vector', 'vector is an array of finite numbers')
    throw error
  }
}

async function collect(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw appError('too_large', `a picture has at most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function receiveForm(req: Request, maxBytes: number): Promise<ReceivedSearch> {
  const fields: Record<string, unknown> = {}
  let picture: Uint8Array | undefined
  await readMultipart(req, { files: 1, fields: 20, fieldBytes: 256 * 1024 }, {
    onField: (name, text) => {
      const value = asJson.has(name) ? parseJsonField(name, text) : text
      if (text !== '') Object.defineProperty(fields, name, { value, enumerable: true })
    },
    onFile: async (name, stream) => {
      if (name !== 'image') throw appError('invalid_request', `unknown file field ${name.slice(0, 50)}; the picture is \`image\``)
      picture = await collect(stream, maxBytes)
    }
  })
  return { request: parseSearch(fields), picture }
}

export async function receiveSearch(req: Request, res: Response, maxBytes: number): Promise<ReceivedSearch> {
  if (isMultipart(req)) return checkSources(await receiveForm(req, maxBytes))
  if (!isJson(req)) throw appError('unsupported_media_type', 'send application/json, or multipart/form-data with a picture')
  return checkSources({ request: parseSearch(await readSearchJson(req, res)), picture: undefined })
}
