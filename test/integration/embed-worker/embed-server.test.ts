import { request } from 'node:http'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  compareMadeSchema,
  decodeRaw,
  decodeVector,
  embedAnswerSchema,
  rankMadeSchema
} from '@likeness/shared/contract/embedder'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { embedderAddressSchema, embeddersKey } from '@likeness/shared/contract/work'
import {
  ask,
  createEmbedRig,
  embed,
  embedderSecret,
  type EmbedRig,
  pictureOf,
  tinyEmbedding,
  type WorkerProcess
} from './embed-rig.ts'

let rig: EmbedRig
let worker: WorkerProcess
beforeAll(async () => {
  rig = await createEmbedRig()
  worker = await rig.startWorker({ MAX_UPLOAD_BYTES: '200000', MAX_IMAGE_PIXELS: '250000' })
})
afterAll(() => rig.close())

const codeOf = async (response: Response) => [
  response.status,
  ((await response.json()) as { code: string }).code
]

test('a picture is answered with its subjects, then the whole picture, as unit vectors', async () => {
  const response = await embed(worker.url, await pictureOf(1, 96), { look: { max_objects: 3 } })
  const answer = embedAnswerSchema.parse(await response.json())
  expect(answer).toMatchObject({ embedding: tinyEmbedding, width: 96, height: 96 })
  const kinds = answer.objects.map(({ kind }) => kind)
  expect(kinds.at(-1)).toBe('whole')
  expect(kinds.slice(0, -1).every((kind) => kind === 'subject')).toBe(true)
  expect(kinds.length).toBeGreaterThan(1)
  expect(kinds.length).toBeLessThanOrEqual(4)
  for (const { vector } of answer.objects)
    expect(Math.hypot(...decodeVector(vector))).toBeCloseTo(1, 4)
})

test('a given box is the only subject', async () => {
  const response = await embed(worker.url, await pictureOf(1, 96), { box: [10, 10, 60, 60] })
  const answer = embedAnswerSchema.parse(await response.json())
  expect(answer.objects.map(({ kind, box }) => [kind, box])).toEqual([['given', [10, 10, 60, 60]]])
})

test('the same picture gives the same vector in a chunk and through the embed server', async () => {
  const bytes = await pictureOf(5, 96)
  const { ingestion } = await rig.storeIngestion([{ bytes }])
  await rig.addChunk(
    rig.chunkOf(ingestion, { enrolment: enrolmentSchema.parse({ view_sizes: [] }) })
  )
  await rig.waitForItems(ingestion, 1)
  const [batch] = await rig.readBatches(ingestion)
  const answer = embedAnswerSchema.parse(await (await embed(worker.url, bytes)).json())
  expect(answer.objects.map(({ kind, box }) => ({ kind, box }))).toEqual(
    batch!.header.items[0]!.rows.map(({ kind, box }) => ({ kind, box }))
  )
  expect(answer.objects.flatMap(({ vector }) => [...decodeVector(vector)])).toEqual([
    ...denseRows(batch!.vectors)
  ])
})

test('a picture is compared with one of the store, box with box', async () => {
  const bytes = await pictureOf(5, 96)
  await rig.store.put('pictures/five.png', bytes)
  const response = await ask(`${worker.url}/compare`, bytes, {
    imageKey: 'pictures/five.png',
    box: [8, 8, 72, 72],
    imageBox: [8, 8, 200, 72]
  })
  const made = compareMadeSchema.parse(await response.json())
  expect(made).toMatchObject({
    query: { width: 96, height: 96, box: [8, 8, 72, 72] },
    item: { width: 96, height: 96, box: [8, 8, 96, 72] },
    grid: 3
  })
  const same = compareMadeSchema.parse(
    await (await ask(`${worker.url}/compare`, bytes, { imageKey: 'pictures/five.png' })).json()
  )
  expect(same.strengths.map((row, cell) => row[cell] === Math.max(...row))).toEqual(
    Array.from({ length: 9 }, () => true)
  )
})

test('raw vectors come with a picture where they are asked for, and candidates are ranked by theirs', async () => {
  const asked = async (seed: number) =>
    embedAnswerSchema.parse(
      await (
        await embed(worker.url, await pictureOf(seed, 96), { box: [8, 8, 72, 72], raws: true })
      ).json()
    )
  const [five, six] = [(await asked(5)).objects[0]!, (await asked(6)).objects[0]!]
  const [a, b] = [decodeRaw(five.raw!), decodeRaw(six.raw!)]
  const response = await ask(
    `${worker.url}/rank`,
    new Uint8Array(Uint16Array.from([...a, ...b, ...a]).buffer),
    { rawDim: a.length, queryRows: 1, itemRows: [1, 1] }
  )
  const { alike } = rankMadeSchema.parse(await response.json())
  expect(alike[0]![1]).toBeCloseTo(1, 4)
  expect(alike[0]![0]).toBeLessThan(0.99)
  expect(
    embedAnswerSchema.parse(await (await embed(worker.url, await pictureOf(5, 96))).json())
      .objects[0]!.raw
  ).toBeUndefined()
  expect(
    await codeOf(
      await ask(`${worker.url}/rank`, new Uint8Array(8), {
        rawDim: a.length,
        queryRows: 1,
        itemRows: [1]
      })
    )
  ).toEqual([400, 'dimension_mismatch'])
})

test.each([
  [
    'with a picture that is not in the store',
    { imageKey: 'pictures/none.png' },
    422,
    'image_missing'
  ],
  ['with what is no picture in the store', { imageKey: 'notes/text' }, 415, 'image_unsupported'],
  [
    'with a box outside of the gallery picture',
    { imageKey: 'pictures/one.png', imageBox: [500, 500, 600, 600] },
    400,
    'invalid_request'
  ],
  ['with no key', {}, 400, 'invalid_request'],
  [
    'for another embedding',
    { imageKey: 'pictures/one.png', embedding: { ...tinyEmbedding, version: 'x@1/y@1' } },
    409,
    'embedding_mismatch'
  ]
])('a comparison %s is refused by name', async (_, options, status, code) => {
  const bytes = await pictureOf(1)
  await Promise.all([
    rig.store.put('pictures/one.png', bytes),
    rig.store.put('notes/text', Buffer.from('not a picture'))
  ])
  expect(await codeOf(await ask(`${worker.url}/compare`, bytes, options))).toEqual([status, code])
})

test.each([
  ['without the secret', { headers: { authorization: '' } }, 401, 'unauthorized'],
  [
    'with another secret',
    { headers: { authorization: 'Bearer another-secret-entirely' } },
    401,
    'unauthorized'
  ],
  [
    'for another embedding',
    { options: { embedding: { ...tinyEmbedding, version: 'x@1/y@1' } } },
    409,
    'embedding_mismatch'
  ],
  [
    'with a box outside the picture',
    { options: { box: [500, 500, 600, 600] } },
    400,
    'invalid_request'
  ],
  ['with a box of three numbers', { options: { box: [1, 2, 3] } }, 400, 'invalid_request'],
  ['without bytes', { bytes: new Uint8Array(0) }, 422, 'image_empty'],
  ['with text', { bytes: Buffer.from('not a picture') }, 415, 'image_unsupported'],
  [
    'with an SVG',
    { bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>') },
    415,
    'image_unsupported'
  ],
  ['with too many bytes', { bytes: new Uint8Array(200_001) }, 413, 'too_large']
])(
  'a query %s is refused by name',
  async (_, {
    bytes,
    options,
    headers
  }: { bytes?: Uint8Array; options?: object; headers?: Record<string, string> }, status, code) => {
    expect(
      await codeOf(await embed(worker.url, bytes ?? (await pictureOf(1)), options, headers))
    ).toEqual([status, code])
  }
)

test('a picture of too many pixels and a truncated one are refused by name', async () => {
  const large = await sharp({ create: { width: 600, height: 600, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  expect(await codeOf(await embed(worker.url, large))).toEqual([422, 'image_too_many_pixels'])
  expect(await codeOf(await embed(worker.url, (await pictureOf(1)).subarray(0, 200)))).toEqual([
    422,
    'image_truncated'
  ])
})

test('problems say their media type, and the embed server is there after all of them', async () => {
  const refused = await embed(worker.url, new Uint8Array(0), {}, { 'x-request-id': 'r-1' })
  expect(refused.headers.get('content-type')).toBe('application/problem+json')
  expect(await refused.json()).toMatchObject({
    request_id: 'r-1',
    code: 'image_empty',
    status: 422
  })
  expect((await fetch(`${worker.url}/livez`)).status).toBe(200)
  expect(
    await codeOf(
      await fetch(`${worker.url}/nothing`, {
        headers: { authorization: `Bearer ${embedderSecret}` }
      })
    )
  ).toEqual([404, 'route_not_found'])
  expect(
    await codeOf(
      await fetch(`${worker.url}/embed`, { headers: { authorization: `Bearer ${embedderSecret}` } })
    )
  ).toEqual([405, 'method_not_allowed'])
})

test('a thumbnail is a small JPEG of the same shape', async () => {
  const bytes = await sharp({
    create: { width: 400, height: 200, channels: 3, background: 'blue' }
  })
    .png()
    .toBuffer()
  const response = await fetch(`${worker.url}/thumbnail?width=64`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: { authorization: `Bearer ${embedderSecret}` }
  })
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  expect(await sharp(Buffer.from(await response.arrayBuffer())).metadata()).toMatchObject({
    format: 'jpeg',
    width: 64,
    height: 32
  })
  expect(
    await codeOf(
      await fetch(`${worker.url}/thumbnail?width=9`, {
        method: 'POST',
        headers: { authorization: `Bearer ${embedderSecret}` }
      })
    )
  ).toEqual([400, 'invalid_request'])
})

test('a deadline that is too short is answered 503 with a time to retry after', async () => {
  const response = await embed(worker.url, await pictureOf(1), {}, { 'x-deadline-ms': '1' })
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await codeOf(response)).toEqual([503, 'overloaded'])
})

test('a caller who leaves in the middle of the upload harms nobody', async () => {
  await new Promise<void>((resolve) => {
    const leaving = request(
      `${worker.url}/embed?options=${encodeURIComponent(JSON.stringify({ embedding: tinyEmbedding }))}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${embedderSecret}`, 'content-length': 1000 }
      }
    )
    leaving.on('error', () => resolve())
    leaving.write('half', () => leaving.destroy())
  })
  expect((await embed(worker.url, await pictureOf(1))).status).toBe(200)
})

test('the embed server is in the registry, comes back after Redis lost everything, and leaves it at a stop', async () => {
  const read = async () =>
    Object.values(await rig.redis.hgetall(embeddersKey)).map((text) =>
      embedderAddressSchema.parse(JSON.parse(text))
    )
  expect(await read()).toMatchObject([
    { url: worker.url, embedding: tinyEmbedding, provider: 'cpu' }
  ])
  await rig.redisServer.flush()
  expect(await read()).toEqual([])
  await expect.poll(read).toMatchObject([{ url: worker.url }])
  expect(await worker.stop()).toBe(0)
  expect(await read()).toEqual([])
})
