import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { EmbedderAddress } from '@likeness/shared/contract/work'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createEmbedClient, type EmbedClient } from './embed-client.ts'

const embedding = { version: 'm@1/p@1', dim: 2, unit: true }
const answer = {
  embedding,
  width: 4,
  height: 3,
  tookMs: { wait: 0, decode: 1, infer: 2 },
  objects: [
    {
      kind: 'whole',
      box: [0, 0, 4, 3],
      score: 1,
      className: null,
      vector: encodeVector(Float32Array.from([1, 0]))
    }
  ]
}

interface FakeEmbedder {
  address: EmbedderAddress
  server: Server
  calls: { path: string; body: string; authorization: string | undefined }[]
}
type Reply = (res: ServerResponse, req: IncomingMessage) => void

let servers: Server[] = []
let client: EmbedClient | undefined
afterEach(() => {
  client?.close()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  servers = []
})

async function startEmbedServerForTest(
  workerId: string,
  reply: Reply,
  version = embedding.version
): Promise<FakeEmbedder> {
  const calls: FakeEmbedder['calls'] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk) => (body += String(chunk)))
    req.on('end', () => {
      calls.push({ path: req.url!, body, authorization: req.headers.authorization })
      reply(res, req)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    address: { workerId, url, embedding: { ...embedding, version }, provider: 'cpu', atMs: 0 },
    server,
    calls
  }
}
const json =
  (status: number, body: unknown): Reply =>
  (res) =>
    void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const well = json(200, answer)

function connect(...embedders: FakeEmbedder[]): EmbedClient {
  const registry = {
    known: () => embedders.map(({ address }) => address),
    refresh: async () => {},
    close: () => {}
  }
  return (client = createEmbedClient({
    registry,
    secret: 'a secret of embed servers',
    clock: systemClock,
    logger: silentLogger()
  }))
}
const picture = Buffer.from('a picture')

test('a picture is sent with its options and the secret', async () => {
  const embedder = await startEmbedServerForTest('a', well)
  expect(await connect(embedder).embed(picture, { embedding, confidence: 0.3 })).toEqual(answer)
  expect(embedder.calls).toEqual([
    {
      path: expect.stringMatching(/^\/embed\?options=/) as unknown,
      body: 'a picture',
      authorization: 'Bearer a secret of embed servers'
    }
  ])
  expect(
    JSON.parse(new URL(embedder.calls[0]!.path, 'http://x').searchParams.get('options')!)
  ).toEqual({ embedding, confidence: 0.3 })
})

test('an embed server that is full, broken, gone or cut off is replaced by another', async () => {
  const failures: Reply[] = [
    json(503, { code: 'overloaded' }),
    json(500, { code: 'internal' }),
    (res) => res.destroy(),
    (res) => void res.writeHead(200, { 'content-length': 100 }).write('x', () => res.destroy())
  ]
  for (const failure of failures) {
    const [bad, good] = [
      await startEmbedServerForTest('bad', failure),
      await startEmbedServerForTest('good', well)
    ]
    const embedders = connect(bad, good)
    expect(await embedders.embed(picture, { embedding })).toEqual(answer)
    expect([bad.calls.length, good.calls.length]).toEqual([1, 1])
    // The failed server is asked last for a while.
    await embedders.embed(picture, { embedding })
    expect([bad.calls.length, good.calls.length]).toEqual([1, 2])
    embedders.close()
  }
  const [gone, good] = [
    await startEmbedServerForTest('gone', well),
    await startEmbedServerForTest('good', well)
  ]
  await new Promise((resolve) => gone.server.close(resolve))
  expect(await connect(gone, good).embed(picture, { embedding })).toEqual(answer)
})

test('where every embed server is full the answer is overloaded', async () => {
  const full = () => startEmbedServerForTest('full', json(503, { code: 'overloaded' }))
  const embedders = connect(await full(), await full())
  await expect(embedders.embed(picture, { embedding })).rejects.toMatchObject({
    code: 'overloaded',
    retryAfterS: 2
  })
  embedders.close()
})

test('what an embed server says about the picture is final', async () => {
  const [bad, good] = [
    await startEmbedServerForTest(
      'bad',
      json(422, { code: 'image_corrupt', detail: 'it is broken' })
    ),
    await startEmbedServerForTest('good', well)
  ]
  await expect(connect(bad, good).embed(picture, { embedding })).rejects.toMatchObject({
    code: 'image_corrupt',
    message: 'it is broken',
    status: 422
  })
  expect(good.calls).toEqual([])
})

test("a secret that an embed server refuses is our fault, not the client's", async () => {
  await expect(
    connect(await startEmbedServerForTest('a', json(401, { code: 'unauthorized' }))).embed(
      picture,
      { embedding }
    )
  ).rejects.toMatchObject({ code: 'internal' })
})

test('a picture that kills its embed server goes through two embed servers, not through all', async () => {
  const embedders = await Promise.all(
    ['a', 'b', 'c', 'd'].map((id) => startEmbedServerForTest(id, (res) => res.destroy()))
  )
  await expect(connect(...embedders).embed(picture, { embedding })).rejects.toMatchObject({
    code: 'embedder_unavailable'
  })
  expect(embedders.flatMap(({ calls }) => calls)).toHaveLength(2)
})

test('no embed server is embedder_unavailable, only others is embedding_mismatch', async () => {
  await expect(connect().embed(picture, { embedding })).rejects.toMatchObject({
    code: 'embedder_unavailable',
    status: 503
  })
  const other = await startEmbedServerForTest('a', well, 'm@2')
  const refused = {
    code: 'embedding_mismatch',
    message: expect.stringMatching(
      /m@1\/p@1.*m@2.*vector or item_id.*docs\/upgrading\.md/
    ) as string,
    detail: { collection_embedding: 'm@1/p@1', embedder_embeddings: ['m@2'] }
  }
  for (const asked of [
    connect(other).embed(picture, { embedding }),
    connect(other).rank(Uint16Array.of(1), { embedding, rawDim: 1, queryRows: 1, itemRows: [] })
  ])
    await expect(asked).rejects.toMatchObject(refused)
  expect(other.calls).toEqual([])
  await expect(connect().embedding(150)).rejects.toMatchObject({ code: 'embedder_unavailable' })
  expect(await connect(other).embedding(0)).toEqual({ ...embedding, version: 'm@2' })
})

test('a learned profile of the model is asked of any embed server of that model, unless one has it as its own', async () => {
  const profiled = { ...embedding, version: 'm@1/cars@0123456789abcdef' }
  const [own, other] = [
    await startEmbedServerForTest('a', well),
    await startEmbedServerForTest('b', well, 'n@1/p@1')
  ]
  await connect(own, other).embed(picture, { embedding: profiled })
  expect([own.calls.length, other.calls.length]).toEqual([1, 0])
  await expect(connect(other).embed(picture, { embedding: profiled })).rejects.toMatchObject({
    code: 'embedding_mismatch'
  })
  const exact = await startEmbedServerForTest('c', well, profiled.version)
  await connect(own, exact).embed(picture, { embedding: profiled })
  expect([own.calls.length, exact.calls.length]).toEqual([1, 1])
})

test('the embed server with the fewest requests in flight is asked', async () => {
  const waiting: (() => void)[] = []
  const slow: Reply = (res) => void waiting.push(() => well(res, undefined as never))
  const embedders = [
    await startEmbedServerForTest('a', slow),
    await startEmbedServerForTest('b', slow)
  ]
  const connected = connect(...embedders)
  const all = Array.from({ length: 6 }, () => connected.embed(picture, { embedding }))
  await expect.poll(() => waiting.length).toBe(6)
  expect(embedders.map(({ calls }) => calls.length)).toEqual([3, 3])
  for (const end of waiting) end()
  await Promise.all(all)
})

test('a client that left ends the request to the embed server', async () => {
  let closed = false
  const embedder = await startEmbedServerForTest('a', (res) =>
    res.on('close', () => (closed = true))
  )
  const gone = new AbortController()
  const asked = connect(embedder).embed(picture, { embedding }, gone.signal)
  asked.catch(() => {})
  await expect.poll(() => embedder.calls.length).toBe(1)
  gone.abort()
  await expect(asked).rejects.toThrow()
  await expect.poll(() => closed).toBe(true)
  expect(embedder.calls).toHaveLength(1)
})

test('a comparison is asked of an embed server that makes the embedding', async () => {
  const made = {
    query: { width: 4, height: 3, box: [0, 0, 4, 3] },
    item: { width: 9, height: 9, box: [1, 1, 2, 2] },
    grid: 1,
    strengths: [[1]],
    matches: []
  }
  const [other, embedder] = [
    await startEmbedServerForTest('a', json(200, made), 'm@2'),
    await startEmbedServerForTest('b', json(200, made))
  ]
  expect(await connect(other, embedder).compare(picture, { embedding, imageKey: 'a/key' })).toEqual(
    made
  )
  expect(embedder.calls).toEqual([
    {
      path: expect.stringMatching(/^\/compare\?options=/) as unknown,
      body: 'a picture',
      authorization: 'Bearer a secret of embed servers'
    }
  ])
  expect(other.calls).toEqual([])
  await expect(
    connect(other).compare(picture, { embedding, imageKey: 'a/key' })
  ).rejects.toMatchObject({ code: 'embedding_mismatch' })
})

test("a thumbnail is the embed server's bytes", async () => {
  const embedder = await startEmbedServerForTest(
    'a',
    (res) => void res.writeHead(200, { 'content-type': 'image/jpeg' }).end('jpeg')
  )
  expect(Buffer.from(await connect(embedder).thumbnail(picture, 160)).toString()).toBe('jpeg')
  expect(embedder.calls[0]!.path).toBe('/thumbnail?width=160')
})

test('what a new collection is made for is what the first embed server makes that answers', async () => {
  const [killed, former] = [
    await startEmbedServerForTest('b', well, 'm@2/p@1'),
    await startEmbedServerForTest('a', well)
  ]
  expect(await connect(killed, former).embedding(0)).toEqual({ ...embedding, version: 'm@2/p@1' })
  await new Promise((resolve) => {
    killed.server.close(resolve)
    killed.server.closeAllConnections()
  })
  expect(await connect(killed, former).embedding(0)).toEqual(embedding)
  await expect(connect(killed).embedding(150)).rejects.toMatchObject({
    code: 'embedder_unavailable'
  })
  expect(former.calls).toMatchObject([{ path: '/livez' }])
})
