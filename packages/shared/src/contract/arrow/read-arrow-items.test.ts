import {
  type Data,
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray
} from 'apache-arrow'
import { expect, test } from 'vitest'
import { isAppError } from '../../errors.ts'
import { maxArrowFields, maxArrowMetadataBytes, maxVectorLines } from '../limits.ts'
import { type ArrowItem, readArrowItems } from './read-arrow-items.ts'
import { writeArrowItems } from './write-arrow-items.ts'

const dim = 2
const maxBytes = 1_000_000
const rowType = new FixedSizeList(dim, new Field('item', new Float32(), true))
const vector = (rows: (number[] | null)[]) => vectorFromArray(rows, rowType).data[0]!
const texts = (values: (string | null)[]) => vectorFromArray(values, new Utf8()).data[0]!

function batchOf(columns: Record<string, Data>) {
  const schema = new Schema(
    Object.entries(columns).map(([name, { type }]) => new Field(name, type as DataType, true))
  )
  const children = Object.values(columns)
  const length = children[0]!.length
  const data = makeData({ type: new Struct(schema.fields), length, children })
  return new RecordBatch(schema, data)
}
const two = () =>
  batchOf({
    id: texts(['a', 'b']),
    vector: vector([
      [1, 2],
      [3, 4]
    ])
  })
const stream = (...batches: RecordBatch[]): Buffer =>
  Buffer.from(RecordBatchStreamWriter.writeAll(batches).toUint8Array(true))

/** The table of contents is not read. */
const fileOf = (body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('ARROW1\0\0'), body, Buffer.from('contents'), Buffer.from('ARROW1')])

async function* inChunks(body: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

async function* itemsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ArrowItem> {
  for await (const some of readArrowItems(chunks, { dim, maxBytes })) yield* some
}

async function read(body: Uint8Array, size = 1000) {
  const items: [string | undefined, number[][]][] = []
  for await (const item of itemsOf(inChunks(body, size)))
    items.push([item.id(), item.vectors().map((row) => [...Array.from(row)])])
  return items
}
const problemOf = async (body: Uint8Array): Promise<string> =>
  read(body).then(
    () => 'taken',
    (error: unknown) => (isAppError(error) ? `${error.code}: ${error.message}` : `${error}`)
  )

test('a stream and a file give their rows, in chunks of any size', async () => {
  const batch = two()
  const twice = [batch, batch]
  const file = fileOf(stream(...twice))
  const rows = [
    ['a', [[1, 2]]],
    ['b', [[3, 4]]]
  ]
  for (const body of [stream(...twice), file])
    for (const size of [1, 4096]) expect(await read(body, size)).toEqual([...rows, ...rows])
})

test('what the writer wrote comes back', async () => {
  const items = Array.from({ length: 1200 }, (_, i) => ({
    id: `i${i}`,
    label: i % 2 === 0 ? null : 'odd',
    metadata: { n: i },
    width: 3,
    height: 4,
    vectors: Float32Array.from({ length: dim * (1 + (i % 3)) }, (_, at) => i + at)
  }))
  const parts: Uint8Array[] = []
  for await (const part of writeArrowItems(items, { dim })) parts.push(part)
  let i = 0
  for await (const item of itemsOf(inChunks(Buffer.concat(parts), 5000))) {
    const { label, vectors, ...rest } = items[i++]!
    expect(item.fields()).toEqual({ ...rest, ...(label !== null && { label }) })
    expect(item.vectors().flatMap((row) => [...Array.from(row)])).toEqual([...vectors])
  }
  expect(i).toBe(items.length)
})

test('a body that was cut off anywhere is refused, never taken in part', async () => {
  const file = fileOf(stream(two()))
  for (const body of [stream(two()), file])
    for (let end = 0; end < body.length; end += 7)
      expect(await problemOf(body.subarray(0, end))).toMatch(/^invalid_request: Arrow: /)
})

test('rows after the end of a stream are refused, because they would be lost', async () => {
  expect(await problemOf(Buffer.concat([stream(two()), stream(two())]))).toMatch(
    /bytes after the end of the stream/
  )
})

test('any damaged byte is an error of the request, or leaves a readable body', async () => {
  const body = stream(two())
  for (let at = 0; at < body.length; at++)
    for (const flip of [at % 2 === 0 ? 1 : 0x80]) {
      const damaged = Buffer.from(body)
      damaged[at]! ^= flip
      expect(await problemOf(damaged)).toMatch(/^(taken|(invalid|dimension|too)_\w+: )/)
    }
})

test('any length or offset that is made giant is an error of the request at once', async () => {
  const body = stream(two())
  const found = new Set<string>()
  for (let at = 0; at + 8 <= body.length; at += 4)
    for (const giant of [2n ** 31n - 1n, 2n ** 50n, -1n]) {
      const lying = Buffer.from(body)
      lying.writeBigInt64LE(giant, at)
      const [problem = ''] = (await problemOf(lying)).split(':')
      found.add(problem)
    }
  expect([...found].sort()).toEqual([
    'dimension_mismatch',
    'invalid_request',
    'invalid_vector',
    'taken',
    'too_large'
  ])
})

const nested = () => {
  let type: DataType = new Float32()
  for (let depth = 0; depth < 8; depth++) type = new List(new Field('item', type, true))
  const schema = new Schema([new Field('vector', type, true)])
  return Buffer.from(new RecordBatchStreamWriter().reset(undefined, schema).toUint8Array(true))
}
const wide = () => {
  const names = Array.from({ length: maxArrowFields + 1 }, (_, i) => `c${i}`)
  return batchOf(Object.fromEntries(names.map((name) => [name, texts(['a'])])))
}
const manyRows = () =>
  batchOf({
    id: texts(Array<string>(maxVectorLines + 1).fill('a')),
    vector: vector(Array<number[]>(maxVectorLines + 1).fill([1, 2]))
  })
const refusals: [string, () => Uint8Array, RegExp][] = [
  ['no Arrow', () => Buffer.from('{"id":"a","vectors":[[1,2]]}'), /no Arrow IPC stream or file/],
  ['an empty body', () => Buffer.alloc(0), /cut off/],
  [
    'another column',
    () => stream(batchOf({ id: texts(['a']), vektor: vector([[1, 2]]) })),
    /no column "vektor": the columns are id, /
  ],
  ['no id', () => stream(batchOf({ vector: vector([[1, 2]]) })), /column id is missing/],
  [
    'no vector',
    () => stream(batchOf({ id: texts(['a']) })),
    /exactly one of the columns vector and vectors/
  ],
  [
    'a wrong type',
    () => stream(batchOf({ id: texts(['a']), vector: texts(['a']) })),
    /column vector is a list of float.*, not Utf8/
  ],
  ['a list of lists of lists', nested, /columns are at most 4 levels deep/],
  ['a schema of too many fields', () => stream(wide()), /^too_large: .*at most 512 fields/],
  ['too many rows', () => stream(manyRows()), /^too_large: .*at most 10000/]
]
for (const [name, body, problem] of refusals)
  test(`${name} refuses the body`, async () => {
    expect(await problemOf(body())).toMatch(problem)
  })

test('vectors of another length refuse the body before a row is read', async () => {
  const type = new FixedSizeList(3, new Field('item', new Float32(), true))
  const body = stream(
    batchOf({ id: texts(['a']), vector: vectorFromArray([[1, 2, 3]], type).data[0]! })
  )
  expect(await problemOf(body)).toBe(
    'dimension_mismatch: Arrow: the vectors have 3 values, the collection 2'
  )
})

test('a long description is refused before it is read', async () => {
  const head = Buffer.alloc(8)
  head.writeInt32LE(-1, 0)
  head.writeInt32LE(maxArrowMetadataBytes + 1, 4)
  expect(await problemOf(head)).toMatch(/^too_large: .*at most 262144 bytes, not 262145/)
})

test('labels of a dictionary are read, and an index outside of it fails its row', async () => {
  const type = new Dictionary(new Utf8(), new Int32(), 7)
  const labels = vectorFromArray(['x', 'y'], type).data[0]!
  const columns = {
    id: texts(['a', 'b']),
    label: labels,
    vector: vector([
      [1, 2],
      [3, 4]
    ])
  }
  const labelsOf = async (body: Uint8Array) => {
    const found: unknown[] = []
    for await (const item of itemsOf(inChunks(body, 1000))) found.push(item.fields().label)
    return found
  }
  expect(await labelsOf(stream(batchOf(columns)))).toEqual(['x', 'y'])
  ;(labels.values as Int32Array)[1] = 5
  await expect(labelsOf(stream(batchOf(columns)))).rejects.toThrow('the dictionary has no value 5')
})

test('a null vector, and a null inside of one, fail their rows', async () => {
  const body = stream(
    batchOf({ id: texts(['a', 'b']), vector: vector([null, [1, null as unknown as number]]) })
  )
  const problems: string[] = []
  for await (const item of itemsOf(inChunks(body, 1000)))
    try {
      item.vectors()
    } catch (error) {
      problems.push(String(error))
    }
  expect(problems).toEqual(Array(2).fill('AppError: the vector, or a value of it, is null'))
})

test('a failure of the source passes unchanged', async () => {
  const gone = new Error('the client is gone')
  async function* cut(): AsyncGenerator<Uint8Array> {
    yield stream(two()).subarray(0, 40)
    throw gone
  }
  const reading = async () => {
    for await (const item of itemsOf(cut())) item.id()
  }
  await expect(reading()).rejects.toBe(gone)
})
