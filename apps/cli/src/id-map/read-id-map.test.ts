import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { readIdMap } from './read-id-map.ts'
import {
  numpy1Pickles,
  numpy2Pickles,
  plainPickles,
  refusedPickles
} from './testing/python-pickles.ts'
import { createIdMapWriter } from './write-id-map.ts'

const file = join(temporaryFolder('pickle'), 'id_map.pkl')
function read(bytes: Uint8Array): Map<number, string> {
  writeFileSync(file, bytes)
  return readIdMap(file)
}
function refusal(bytes: Uint8Array): string {
  try {
    read(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as Error).message
  }
  throw new Error('it was read')
}
const fromBase64 = (text: string): Buffer => Buffer.from(text, 'base64')
const pickle = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part)
    )
  )
const written = new Map([
  [0, 'a b.jpg\t青岛 啤酒'],
  [1, 'sub/c.jpg\tcola light'],
  [300, 'é\\u.png\t"x"'],
  [70_000, '😀.png\tlaugh']
])

test.each([...plainPickles.entries()])(
  'a dictionary that Python pickled with protocol %d is read',
  (_protocol, text) => {
    expect(read(fromBase64(text))).toEqual(written)
  }
)

test.each([
  ['1.26', numpy1Pickles],
  ['2.4', numpy2Pickles]
])(
  'keys that are integers of numpy %s, as PP-ShiTu makes them, are read in every protocol',
  (_version, pickles) => {
    expect(pickles).toHaveLength(6)
    for (const text of pickles) expect(read(fromBase64(text))).toEqual(written)
  }
)

test.each(refusedPickles)(
  '%s is refused by the name of its opcode and its place',
  (_what, opcode, text) => {
    const bytes = fromBase64(text)
    const message = refusal(bytes)
    expect(message).toMatch(
      new RegExp(`id_map\\.pkl: at offset \\d+ opcode ${opcode} .*nothing of it is used$`)
    )
    expect(Number(/offset (\d+)/.exec(message)![1])).toBeLessThan(bytes.length)
  }
)

test('what Python would load is named', () => {
  expect(refusal(fromBase64(refusedPickles[0]![2]))).toMatch(
    /opcode GLOBAL names posix\.system, which Python would load and could run/
  )
})

test.each([
  ['a text instead of a dictionary', pickle('Va\n.'), /holds no dictionary/],
  ['nothing', pickle(''), /offset 0 the file ends/],
  ['no end', pickle('}'), /offset 1 the file ends/],
  [
    'a text that is cut off',
    pickle('}K', [1], 'X', [200, 0, 0, 0], 'abc'),
    /offset 3 the file ends/
  ],
  [
    'a text of 4 GB',
    pickle('}K', [1], 'X', [255, 255, 255, 255]),
    /BINUNICODE has 4294967295 bytes/
  ],
  ['another protocol', pickle([0x80, 6], '}.'), /protocol 6/],
  ['no pickle at all', pickle([0xff, 0xd8]), /0xff is no opcode/],
  ['a text as key', pickle('}Va\nVb\ns.'), /key is no whole number/],
  ['a key below 0', pickle('}I-1\nVb\ns.'), /key is no whole number/],
  ['a key beyond what is exact', pickle('}L9007199254740993L\nVb\ns.'), /key is no whole number/],
  ['a truth as key', pickle('}I01\nVb\ns.'), /key is no whole number/],
  ['a number as value', pickle('}K', [1], 'K', [2], 's.'), /value of 1 is no text/],
  ['a key without a value', pickle('}(K', [1], 'u.'), /key has no value/],
  ['a dictionary in a dictionary', pickle('}K', [1], '}s.'), /second dictionary/],
  ['an item for nothing', pickle('K', [1], 'Vb\ns.'), /SETITEM finds nothing/],
  ['a memo that was never put', pickle('}h', [3], '.'), /BINGET reads what was never put/],
  ['a group that never began', pickle('}u.'), /SETITEMS has no beginning/],
  ['a number of 17 bytes', pickle('}', [0x8a, 17], 'x'.repeat(17), 'Va\ns.'), /number of 17 bytes/],
  ['a number that is none', pickle('}Ix\n.'), /INT has no number/],
  ['a line without an end', pickle('}V', 'x'.repeat(300_000)), /UNICODE has no end of its line/],
  ['a text that is not UTF-8', pickle('}K', [1], 'X', [1, 0, 0, 0, 0xff], 's.'), /not UTF-8/],
  ['a list', pickle('}]'), /EMPTY_LIST has no place/]
])('%s is refused in one line', (_what, bytes, expected) => {
  const message = refusal(bytes)
  expect(message).toMatch(expected)
  expect(message.split('\n')).toHaveLength(1)
})

test('values that stand in the file once and are fetched again are read', () => {
  expect(read(pickle('}K', [1], 'Vsame\np7\nsK', [2], 'g7\ns.'))).toEqual(
    new Map([
      [1, 'same'],
      [2, 'same']
    ])
  )
  expect(
    read(
      pickle(
        [0x80, 4],
        '}',
        [0x94],
        'K',
        [1],
        [0x8c, 1],
        'x',
        [0x94],
        's',
        'K',
        [2],
        'h',
        [1],
        's.'
      )
    )
  ).toEqual(
    new Map([
      [1, 'x'],
      [2, 'x']
    ])
  )
})

test('whatever the bytes, they are read or refused with a message', () => {
  let state = 11
  const random = (below: number): number =>
    (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below
  const sources = [...plainPickles, ...numpy1Pickles, ...numpy2Pickles].map(fromBase64)
  let refused = 0
  for (let round = 0; round < 1_500; round++) {
    const bytes = Buffer.from(sources[random(sources.length)]!)
    for (let edits = 1 + random(3); edits > 0; edits--) bytes[random(bytes.length)] = random(256)
    try {
      read(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length))
    } catch (error) {
      if (!(error instanceof UserError))
        throw new Error(`${bytes.toString('base64')} threw`, { cause: error })
      refused++
    }
  }
  expect(refused).toBeGreaterThan(500)
})

test('a map that is written is read back, over many parts', () => {
  const writer = createIdMapWriter()
  const rows = 2_500
  const textOf = (row: number): string => `图 ${row}.jpg\tlabel of ${row}`
  const parts = Array.from({ length: rows }, (_, row) => writer.add(row, textOf(row)))
  const map = read(Buffer.concat([...parts, writer.end()]))
  expect([...map]).toEqual(Array.from({ length: rows }, (_, row) => [row, textOf(row)]))
  expect(read(createIdMapWriter().end())).toEqual(new Map())
})
