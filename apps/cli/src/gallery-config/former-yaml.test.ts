// Yamls of PP-ShiTu's other versions, and files in other forms.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { loadGalleryConfig, loadSearchedGallery } from './load-gallery-config.ts'

const least = 'IndexProcess:\n  index_dir: a/b\n  image_root: i\n  data_file: d\n'
const dir = temporaryFolder('yaml')
const save = (text: string | Buffer): string => {
  const file = join(dir, 'g.yaml')
  writeFileSync(file, text)
  return file
}
const load = (text: string | Buffer, ...overrides: string[]) =>
  loadGalleryConfig(save(text), { overrides })
const search = (text: string) => loadSearchedGallery(save(text), { overrides: [] })

async function refusal(text: string | Buffer): Promise<string> {
  const error: unknown = await load(text).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UserError)
  return (error as Error).message.replace(/\S*\/(g\.yaml)/g, '$1')
}

test('index_dir is enough for a gallery that is only searched; what is wrong is still said', async () => {
  const built = await load(least)
  expect(await search('IndexProcess:\n  index_dir: a/b\n  return_k: 3\n')).toMatchObject({
    collection: built.collection,
    indexDir: built.indexDir,
    returnK: 3,
    imageRoot: undefined
  })
  expect((await search(least)).imageRoot).toBe(built.imageRoot)
  await expect(search('IndexProcess:\n  return_k: 3\n')).rejects.toThrow(
    /IndexProcess\.index_dir is missing$/
  )
  await expect(search('IndexProcess:\n  index_path: a/b\n')).rejects.toThrow(
    /index_path is a name of 2021/
  )
  await expect(
    search('IndexProcess:\n  index_dir: a/b\n  dist_type: IP\n  hamming_radius: 3\n')
  ).rejects.toThrow(/hamming_radius belongs to dist_type hamming/)
})

test('keys of 2021 are named with what to write instead, all at once', async () => {
  expect(
    await refusal(
      'IndexProcess:\n  index_path: "./index"\n  image_root: i\n  data_file: d\n  append_index: False\n  pq_size: 100\n  spacer: ","\n'
    )
  ).toBe(
    [
      'g.yaml:1:1: IndexProcess.index_dir is missing',
      'g.yaml:2:3: IndexProcess.index_path is a name of 2021: write index_dir',
      'g.yaml:5:3: IndexProcess.append_index is a key of 2021: write index_operation: "append" for True, index_operation: "new" for False',
      'g.yaml:6:3: IndexProcess.pq_size is a key of 2021, for building a graph that does not exist here: remove it (Likeness.storage compresses vectors)',
      'g.yaml:7:3: IndexProcess.spacer is a name of 2021: write delimiter'
    ].join('\n')
  )
})

test('a delimiter of a tab may be written with any quotes, or none', async () => {
  for (const written of ['"\\t"', "'\\t'", '\\t', '"\t"'])
    expect((await load(`${least}  delimiter: ${written}\n`)).delimiter).toBe('\t')
  expect((await load(least, 'IndexProcess.delimiter=\\t')).delimiter).toBe('\t')
  expect((await load(`${least}  delimiter: ' '\n`)).delimiter).toBe(' ')
})

test('a file in UTF-16, or with a byte order mark, is read', async () => {
  for (const bytes of [
    Buffer.from(`\uFEFF${least}`),
    Buffer.from(`\uFEFF${least}`, 'utf16le'),
    Buffer.from(`\uFEFF${least}`, 'utf16le').swap16()
  ])
    expect((await load(bytes)).returnK).toBe(5)
})

test.each([
  ['open', `${least}a: ${'['.repeat(100_000)}`],
  ['closed', `${least}a: ${'['.repeat(3000)}${']'.repeat(3000)}`],
  [
    'in sections',
    `${least}${Array.from({ length: 1200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')}`
  ]
])('lists and sections inside each other without end are one message (%s)', async (_name, text) => {
  expect(await refusal(text)).toMatch(/^g\.yaml:\d+:\d+: .*(inside each other|is not known)/)
})
