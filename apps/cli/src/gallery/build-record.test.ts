import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { beginRecord, readRecord, writeRecord } from './build-record.ts'

const build = { operation: 'new', collection: 'c', collectionId: 'i', fingerprint: 'f' } as const
const freshDir = async (): Promise<string> => join(temporaryFolder('record'), 'index')

test('the same build begun again has the same keys, finished or not', async () => {
  const dir = await freshDir()
  expect(await readRecord(dir)).toBeUndefined()
  const first = await beginRecord(dir, build)
  expect(await beginRecord(dir, build)).toEqual(first)
  const outcome = { total: 3, indexed: 2, superseded: 0, failed: 1, duplicates: 0 }
  await writeRecord(dir, { ...first, outcome })
  expect(await beginRecord(dir, build)).toEqual({ ...first, outcome })
})

test.each([
  { operation: 'append' as const },
  { collectionId: 'other' },
  { fingerprint: 'other' },
  { collection: 'other' }
])('a build that differs in %o is another one', async (change) => {
  const dir = await freshDir()
  const first = await beginRecord(dir, build)
  const other = await beginRecord(dir, { ...build, ...change })
  expect(other.nonce).not.toBe(first.nonce)
  expect((await beginRecord(dir, build)).nonce).not.toBe(first.nonce)
})

test('a record that is none, and a folder that cannot be written, are said in one line', async () => {
  const dir = temporaryFolder('record')
  await writeFile(join(dir, 'build.json'), '{"operation":')
  await expect(readRecord(dir)).rejects.toThrow('not what this program writes')
  await writeFile(join(dir, 'file'), '')
  await expect(beginRecord(join(dir, 'file'), build)).rejects.toThrow(
    /index_dir .*file cannot be written/
  )
})
