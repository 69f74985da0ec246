import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { LocalFile } from './local-file.ts'

let folder: string
beforeEach(() => void (folder = temporaryFolder('local')))

async function opened(body: Uint8Array): Promise<LocalFile> {
  const path = join(folder, 'file')
  await writeFile(path, body)
  return await LocalFile.open(path)
}

test('a part is read where it lies', async () => {
  const body = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 31) % 251)
  const file = await opened(body)
  const out = new Uint8Array(5000)
  await file.fill(out, 77_777)
  expect(out).toEqual(body.slice(77_777, 82_777))
  expect(file.size).toBe(100_000)
  await file.close()
})

test('a file that ends too early is damaged, also one that was cut after it was opened', async () => {
  const file = await opened(new Uint8Array(100))
  await expect(file.fill(new Uint8Array(11), 90)).rejects.toMatchObject({ code: 'data_corrupt' })
  await truncate(join(folder, 'file'), 50)
  await expect(file.fill(new Uint8Array(10), 45)).rejects.toMatchObject({ code: 'data_corrupt' })
  await file.close()
})
