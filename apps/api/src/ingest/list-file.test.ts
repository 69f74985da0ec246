import { expect, test } from 'vitest'
import { maxListLineBytes } from '@likeness/shared/contract/limits'
import { readList } from './list-file.ts'

async function read(...chunks: (string | Buffer)[]) {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk as string)
  }
  const entries = []
  for await (const entry of readList(stream())) entries.push(entry)
  return entries
}
const brief = async (...chunks: (string | Buffer)[]) =>
  (await read(...chunks)).map(({ line, id, label, failure }) => [line, id, label, failure?.code])

test('the same lines come out wherever the chunks are cut', async () => {
  const bytes = Buffer.from('\uFEFFä/ö.png\tGrün\r\n\r\nb.png\tB\tid-b\n\n c.png \tC')
  const whole = await brief(bytes)
  expect(whole).toEqual([
    [1, 'ä/ö.png', 'Grün', undefined],
    [3, 'id-b', 'B', undefined],
    [5, ' c.png ', 'C', undefined]
  ])
  for (let at = 1; at < bytes.length; at++)
    expect(await brief(bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole)
  expect(await brief(...Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(whole)
})

test('a line that is not UTF-8 or far too long fails alone', async () => {
  const long = `${'x'.repeat(maxListLineBytes)}\ty\n`
  expect(await brief('a\tA\n', Buffer.from([0xff, 0xfe, 9, 65, 10]), long, 'b\tB')).toEqual([
    [1, 'a', 'A', undefined],
    [2, 'line-2', null, 'invalid_list_line'],
    [3, 'line-3', null, 'invalid_list_line'],
    [4, 'b', 'B', undefined]
  ])
})

test('a long line costs no more memory than its limit', async () => {
  let sent = 0
  async function* endless() {
    for (; sent < 2000; sent++) yield Buffer.alloc(64 * 1024, 'x')
    yield Buffer.from('\nb\tB')
  }
  const entries = []
  for await (const entry of readList(endless())) entries.push(entry.failure?.code)
  expect(entries).toEqual(['invalid_list_line', undefined])
})

test('ids and paths that cannot be are invalid_list_line, and the message names the line', async () => {
  const [entry] = await read('\n\na.png\tA\tbad\u0007id')
  expect(entry).toMatchObject({
    line: 3,
    id: 'line-3',
    failure: { code: 'invalid_list_line', message: expect.stringMatching(/^line 3: /) }
  })
  expect(await brief(`${'x'.repeat(1025)}\tA`, '\n', `a\t${'x'.repeat(1025)}`)).toEqual([
    [1, 'line-1', null, 'invalid_list_line'],
    [2, 'a', null, 'invalid_list_line']
  ])
})

test('an empty list has no entries', async () => {
  expect(await read()).toEqual([])
  expect(await read('\uFEFF')).toEqual([])
  expect(await read('\n \n\t\r\n')).toEqual([])
})
