import { gzipSync } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import { controlCharacterIn, readTextLines } from './text-lines.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function* streamOf(...chunks: (string | Buffer)[]) {
  for (const chunk of chunks) yield Buffer.from(chunk as string)
}
async function read(chunks: AsyncIterable<Uint8Array>, maxLineBytes = 1000) {
  const lines = []
  for await (const read of readTextLines(chunks, { maxLineBytes }))
    lines.push('text' in read ? [read.line, read.text] : [read.line, { problem: read.problem }])
  return lines
}
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

test.each([
  ['LF', '\n', [1, 3]],
  ['CRLF', '\r\n', [1, 3]],
  ['CR', '\r', [1, 3]]
])(
  'lines end with %s, wherever the bytes are cut, and blank lines count',
  async (_name, end, [a, b]) => {
    const bytes = Buffer.from(`a\tä${end}${end}b\tB${end}`)
    const expected = [
      [a, 'a\tä'],
      [b, 'b\tB']
    ]
    for (let at = 0; at <= bytes.length; at++)
      expect(await read(streamOf(bytes.subarray(0, at), bytes.subarray(at)))).toEqual(expected)
    expect(await read(streamOf(...Array.from(bytes, (byte) => Buffer.of(byte))))).toEqual(expected)
  }
)

test('the first end of a line decides: a CR inside of a later line stays in its text', async () => {
  expect(await read(streamOf('a\tA\nb\tla\rbel\n'))).toEqual([
    [1, 'a\tA'],
    [2, 'b\tla\rbel']
  ])
  expect(await read(streamOf('a\tA\r'))).toEqual([[1, 'a\tA']])
})

test.each([
  ['UTF-16LE', (text: string) => Buffer.from(text, 'utf16le')],
  ['UTF-16BE', utf16be]
])('%s with a byte order mark is read, wherever the bytes are cut', async (_name, encode) => {
  const bytes = encode('\uFEFF中/ä.jpg\tGrün 🍏\r\nb.jpg\tB')
  const expected = [
    [1, '中/ä.jpg\tGrün 🍏'],
    [2, 'b.jpg\tB']
  ]
  for (let at = 0; at <= bytes.length; at++)
    expect(await read(streamOf(bytes.subarray(0, at), bytes.subarray(at)))).toEqual(expected)
  expect(await read(streamOf(...Array.from(bytes, (byte) => Buffer.of(byte))))).toEqual(expected)
})

test('half a character of UTF-16 fails its line, and the others are read', async () => {
  for (const encode of [(text: string) => Buffer.from(text, 'utf16le'), utf16be])
    expect(await read(streamOf(encode('\uFEFFa\ud83c.jpg\tA\nb\tB\nc\ud83c')))).toEqual([
      [1, { problem: 'not UTF-8: save the file as UTF-8' }],
      [2, 'b\tB'],
      [3, { problem: 'not UTF-8: save the file as UTF-8' }]
    ])
  const cut = Buffer.from('\uFEFFa\tA\n', 'utf16le')
  expect(await read(streamOf(Buffer.concat([cut, Buffer.of(0x62)])))).toEqual([
    [1, 'a\tA'],
    [2, { problem: 'not UTF-8: save the file as UTF-8' }]
  ])
})

test('a file that is no plain text is one line that names the cause', async () => {
  expect(await read(streamOf(Buffer.from('a\tA\nb\tB\n', 'utf16le')))).toEqual([
    [1, { problem: 'NUL bytes: save the file as UTF-8 (this may be UTF-16)' }],
    [2, { problem: 'NUL bytes: save the file as UTF-8 (this may be UTF-16)' }],
    [3, { problem: 'NUL bytes: save the file as UTF-8 (this may be UTF-16)' }]
  ])
  expect(await read(streamOf(gzipSync('a\tA\n'.repeat(10_000))))).toEqual([
    [1, { problem: 'a gzip file is no list: unpack it, and send plain text' }]
  ])
  expect(await read(streamOf('PK\u0003\u0004 and\nmore\n'))).toEqual([
    [1, { problem: 'a zip file (xlsx is one too) is no list: unpack it, and send plain text' }]
  ])
})

test('the cost of a long line grows with its length: its bytes are copied once', async () => {
  const [chunks, chunkBytes] = [512, 64 * 1024]
  let copied = 0
  const { concat } = Buffer
  vi.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
    const joined = concat(list, length)
    copied += joined.length
    return joined
  })
  async function* longLine(): AsyncGenerator<Buffer> {
    for (let i = 0; i < chunks; i++) yield Buffer.alloc(chunkBytes, 'x')
    yield Buffer.from('\nb')
  }
  const whole = await read(longLine(), Infinity)
  expect(whole.map(([line, text]) => [line, (text as string).length])).toEqual([
    [1, chunks * chunkBytes],
    [2, 1]
  ])
  expect(copied).toBeLessThanOrEqual(2 * chunks * chunkBytes)
  copied = 0
  expect(await read(longLine(), 1000)).toEqual([
    [1, { problem: 'longer than 1000 bytes' }],
    [2, 'b']
  ])
  expect(copied).toBeLessThanOrEqual(2 * chunkBytes)
})

test('a control character is named with its column', () => {
  expect(controlCharacterIn(['a.jpg', 'label'])).toBeUndefined()
  expect(controlCharacterIn(['a.jpg', 'la\u0001bel'])).toBe(
    'column 2 has the control character U+0001'
  )
  expect(controlCharacterIn(['a.jpg\r', ''])).toContain('the line ends of the file are mixed')
})
