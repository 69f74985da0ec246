import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { fingerprintList, type ListConfig, readDataList } from './data-list.ts'
import { readListLines } from './list-lines.ts'

let dir: string
beforeEach(() => {
  dir = temporaryFolder('list')
  mkdirSync(join(dir, 'images'))
})
const picture = (path: string, text = 'x'): void => {
  mkdirSync(dirname(join(dir, 'images', path)), { recursive: true })
  writeFileSync(join(dir, 'images', path), text)
}
function configOf(list: string | Buffer, rest: Partial<ListConfig> = {}): ListConfig {
  writeFileSync(join(dir, 'list.txt'), list)
  return {
    file: 'g.yaml',
    dataFile: join(dir, 'list.txt'),
    imageRoot: join(dir, 'images'),
    delimiter: undefined,
    fields: [],
    ...rest
  }
}
async function read(config: ListConfig) {
  const lines = []
  const duplicates: number[][] = []
  for await (const line of readDataList(config, {
    onDuplicate: (...numbers) => duplicates.push(numbers)
  }))
    lines.push(line)
  return {
    lines,
    duplicates,
    brief: lines.map(({ line, path, label, failure }) => [line, path, failure?.code ?? label])
  }
}

test('with a delimiter fields are split by it, and what follows the label is metadata with the names given', async () => {
  const { lines } = await read(
    configOf('a b.jpg;big red; cam 1 ;;x\n', { delimiter: ';', fields: ['camera', 'lane'] })
  )
  expect(lines).toEqual([
    { path: 'a b.jpg', label: 'big red', line: 1, metadata: { camera: 'cam 1', field_4: 'x' } }
  ])
})

test('without one, tabs split when every line has one', async () => {
  expect(
    (await read(configOf('\uFEFFa b.jpg\tbig red\tc1\r\n\r\nc.jpg\tgreen\r\n'))).lines
  ).toEqual([
    { path: 'a b.jpg', label: 'big red', line: 1, metadata: { field_2: 'c1' } },
    { path: 'c.jpg', label: 'green', line: 3 }
  ])
})

test('else the path is the longest beginning of the line that is a file, so that paths and labels may have spaces', async () => {
  for (const path of ['a', 'a b.jpg', '中文/图 片.jpg', 'two  spaces.jpg']) picture(path)
  mkdirSync(join(dir, 'images/a b.jpg folder'))
  const { brief } = await read(
    configOf(
      'a b.jpg folder of reds\n中文/图 片.jpg 红 茶\na label\nmissing one.jpg a label\nonly\na b.jpg\ntwo  spaces.jpg\t x  y \n'
    )
  )
  expect(brief).toEqual([
    [1, 'a b.jpg', 'folder of reds'],
    [2, '中文/图 片.jpg', '红 茶'],
    [3, 'a', 'label'],
    [4, 'missing', 'one.jpg a label'],
    [5, 'only', 'missing_label'],
    [6, 'a b.jpg', 'missing_label'],
    [7, 'two  spaces.jpg', 'x  y']
  ])
})

test('lines that cannot be used fail with their number, and are never looked for outside the root', async () => {
  writeFileSync(join(dir, 'secret'), '')
  const { lines, brief } = await read(
    configOf(
      Buffer.concat([
        Buffer.from('../secret\tx\n/etc/passwd\tx\n\tx\na.jpg\t \n'),
        Buffer.from([0xff, 9, 65, 10]),
        Buffer.from(`a.jpg\t${'x'.repeat(2000)}\na\u0001.jpg\tx\n${'p'.repeat(20_000)}\tx\n`)
      ])
    )
  )
  expect(brief.map(([line, , code]) => [line, code])).toEqual([
    [1, 'path_outside_root'],
    [2, 'path_outside_root'],
    [3, 'invalid_list_line'],
    [4, 'missing_label'],
    [5, 'invalid_list_line'],
    [6, 'invalid_list_line'],
    [7, 'invalid_list_line'],
    [8, 'invalid_list_line']
  ])
  for (const { line, failure } of lines)
    expect(failure!.message).toMatch(new RegExp(`^line ${line}: `))
  expect((await read(configOf('../secret x\n'))).brief).toEqual([
    [1, '../secret', 'path_outside_root']
  ])
})

test('the same line again counts once, the same path with another label fails and names both lines', async () => {
  const { brief, lines, duplicates } = await read(configOf('a\tA\nb\tB\na\tA\na\tother\nb\t B \n'))
  expect(brief).toEqual([
    [1, 'a', 'A'],
    [2, 'b', 'B'],
    [4, 'a', 'invalid_list_line']
  ])
  expect(lines[2]!.failure!.message).toBe('line 4: a has another label in line 1')
  expect(duplicates).toEqual([
    [3, 1],
    [5, 2]
  ])
})

test.each([
  ['an empty list', () => configOf('\n \n'), /list\.txt \(data_file of g\.yaml\) is empty/],
  [
    'a missing list',
    () => ({ ...configOf(''), dataFile: '/nowhere/list' }),
    /g\.yaml: data_file \/nowhere\/list does not exist/
  ],
  ['a folder as list', () => ({ ...configOf('a\tA'), dataFile: dir }), /is not a file/],
  [
    'a missing image_root',
    () => ({ ...configOf('a\tA'), imageRoot: '/nowhere' }),
    /g\.yaml: image_root \/nowhere does not exist/
  ],
  [
    'a file as image_root',
    () => ({ ...configOf('a\tA'), imageRoot: join(dir, 'list.txt') }),
    /is not a folder/
  ]
])('%s is one message', async (_what, config, expected) => {
  await expect(read(config())).rejects.toThrow(expected)
})

test('a changed list, label or picture is another fingerprint, and nothing else is', async () => {
  picture('a')
  picture('b')
  const config = configOf('a\tA\nb\tB\n')
  const first = await fingerprintList(config)
  expect(first.lines).toBe(2)
  expect(await fingerprintList(configOf('a\tA\nb\tB'))).toEqual(first)
  const others = [await fingerprintList(configOf('a\tA\nb\tC\n'))]
  utimesSync(join(dir, 'images/b'), 1, 1)
  others.push(await fingerprintList(configOf('a\tA\nb\tB\n')))
  rmSync(join(dir, 'images/b'))
  others.push(await fingerprintList(configOf('a\tA\nb\tB\n')))
  expect(new Set([first, ...others].map(({ sha256 }) => sha256)).size).toBe(4)
})

test('the ways to write a path are one picture: a line again is skipped, another label fails', async () => {
  picture('0/0.jpg')
  const { brief, duplicates } = await read(
    configOf('./0/0.jpg\tzero\n0/0.jpg\tzero\n0//0.jpg\tother\n1/../0/0.jpg\tzero\n')
  )
  expect(brief).toEqual([
    [1, '0/0.jpg', 'zero'],
    [3, '0/0.jpg', 'invalid_list_line']
  ])
  expect(duplicates).toEqual([
    [2, 1],
    [4, 1]
  ])
})

test('absolute paths inside image_root are taken, also through a symlink, and others are not', async () => {
  picture('0/0.jpg')
  symlinkSync(join(dir, 'images'), join(dir, 'link'))
  const list = `${join(dir, 'images')}/0/0.jpg\ta\n${join(dir, 'link')}//0/1.jpg\tb\n${dir}/list.txt\tc\n`
  expect((await read(configOf(list, { imageRoot: join(dir, 'link') }))).brief).toEqual([
    [1, '0/0.jpg', 'a'],
    [2, '0/1.jpg', 'b'],
    [3, join(dir, 'list.txt'), 'path_outside_root']
  ])
  const spaced = configOf(`${join(dir, 'images')}/0/0.jpg big red\n`)
  expect((await read(spaced)).brief).toEqual([[1, '0/0.jpg', 'big red']])
})

test('backslashes of Windows part names, unless a file has them in its name', async () => {
  for (const path of ['my folder/a b.jpg', 'odd\\name.jpg']) picture(path)
  const lines =
    'my folder\\a b.jpg\ta\nodd\\name.jpg\tb\n.\\gone\\0.jpg\tc\n..\\up.jpg\td\nC:\\images\\0.jpg\te\n'
  const { brief, lines: read_ } = await read(configOf(lines))
  expect(brief).toEqual([
    [1, 'my folder/a b.jpg', 'a'],
    [2, 'odd\\name.jpg', 'b'],
    [3, '.\\gone\\0.jpg', 'c'],
    [4, '..\\up.jpg', 'path_outside_root'],
    [5, 'C:\\images\\0.jpg', 'path_outside_root']
  ])
  expect(read_[4]!.failure!.message).toContain('is an absolute path of Windows')
  expect((await read(configOf('my folder\\a b.jpg big red\n'))).brief).toEqual([
    [1, 'my folder/a b.jpg', 'big red']
  ])
})

test('a name is found however its accents are composed, with and without a delimiter', async () => {
  const [nfc, nfd] = ['caf\u00e9 1.jpg', 'cafe\u0301 2.jpg']
  picture(nfc)
  picture(nfd)
  for (const delimiter of ['\t', ' '])
    expect(
      (
        await read(
          configOf(
            `${nfc.normalize('NFD')}${delimiter}a\n${nfd.normalize('NFC')}${delimiter}b\ngon\u00e9.jpg${delimiter}c\n`
          )
        )
      ).brief
    ).toEqual([
      [1, nfc, 'a'],
      [2, nfd, 'b'],
      [3, 'gon\u00e9.jpg', 'c']
    ])
})

test('CR line ends, UTF-16 and packed lists: read, or one failure that names the cause', async () => {
  const expected = [
    [1, 'a.jpg', 'A'],
    [2, 'b.jpg', 'B']
  ]
  expect((await read(configOf('a.jpg\tA\rb.jpg\tB\r'))).brief).toEqual(expected)
  expect((await read(configOf('a.jpg A\rb.jpg B\r'))).brief).toEqual(expected)
  for (const text of [
    Buffer.from('\uFEFFa.jpg\tA\r\nb.jpg\tB\r\n', 'utf16le'),
    Buffer.from('\uFEFFa.jpg\tA\r\nb.jpg\tB\r\n', 'utf16le').swap16()
  ])
    expect((await read(configOf(text))).brief).toEqual(expected)
  const packed = await read(configOf(gzipSync('a.jpg\tA\n')))
  expect(packed.lines.map(({ failure }) => failure!.message)).toEqual([
    'line 1: a gzip file is no list: unpack it, and send plain text'
  ])
})

test('a control character shows a line that was cut wrongly; the message names it', async () => {
  const messages = async (list: string, rest: Partial<ListConfig> = {}) =>
    (await read(configOf(list, rest))).lines.map(({ failure }) => failure?.message)
  expect(await messages('a\tA\nb\tla\u0002bel\nc\tla\rbel\nd\tD\tmo\u0000re\n')).toEqual([
    undefined,
    'line 2: column 2 has the control character U+0002',
    'line 3: column 2 has the control character U+000D (CR): the line ends of the file are mixed',
    'line 4: NUL bytes: save the file as UTF-8 (this may be UTF-16)'
  ])
  expect(await messages('a;A;mo\tre\n', { delimiter: ';' })).toEqual([
    'line 1: column 3 has the control character U+0009 (a tab): one delimiter is expected in all lines'
  ])
  expect(await messages('a.jpg,A\n')).toEqual([
    'line 1: no label after the path: give the delimiter, as delimiter: ","'
  ])
  expect(await messages('a,A\n', { delimiter: '\t' })).toEqual([
    'line 1: no label after the path and the delimiter "\\t"'
  ])
})

test('the folder itself is no picture', async () => {
  expect((await read(configOf('.\tA\n./\tB\n'))).brief).toEqual([
    [1, '.', 'invalid_list_line'],
    [2, './', 'invalid_list_line']
  ])
})

test('with the delimiters of CSV fields may stand in quotes, with others a quote is a character', async () => {
  const csv = await read(
    configOf(
      'a.jpg,"Coca-Cola, 330 ml", "cam ""1"""\n"b, c.jpg",blue\nd.jpg,6" pipe\ne.jpg,"open\n',
      { delimiter: ',' }
    )
  )
  expect(csv.lines).toEqual([
    { path: 'a.jpg', label: 'Coca-Cola, 330 ml', line: 1, metadata: { field_2: 'cam "1"' } },
    { path: 'b, c.jpg', label: 'blue', line: 2 },
    { path: 'd.jpg', label: '6" pipe', line: 3 },
    expect.objectContaining({
      line: 4,
      failure: expect.objectContaining({ code: 'invalid_list_line' })
    })
  ])
  expect((await read(configOf('a.jpg\t"big, red"\n', { delimiter: '\t' }))).brief).toEqual([
    [1, 'a.jpg', '"big, red"']
  ])
})

test('a list that cannot be read, and folders with backslashes, are one message', async () => {
  await expect(read({ ...configOf('a\tA'), imageRoot: '/no\\where' })).rejects.toThrow(
    'does not exist: write / between the names, not \\'
  )
  await expect(readListLines(dir).next()).rejects.toThrow(/cannot be read \(EISDIR\)$/)
})
