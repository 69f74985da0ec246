import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { ApiClient } from '../api/api-client.ts'
import { ApiProblem } from '../api/api-problem.ts'
import type { UploadFile } from '../api/import-calls.ts'
import { linesPerImport, submitParts, type SubmittedPart } from './submit-parts.ts'

let root: string
beforeEach(async () => {
  root = temporaryFolder('submit')
})

const problem = (code: string, status: number) =>
  new ApiProblem({ type: '', title: '', status, code, detail: `${code}.` })
async function* listOf(lines: readonly ListLine[]): AsyncGenerator<ListLine> {
  yield* lines
}

/** An API that remembers the requests that it received. */
function fakeApi({
  url = 'http://127.0.0.1:1',
  mayRead = true,
  refuses = () => false
}: {
  url?: string
  mayRead?: boolean
  refuses?: (file: UploadFile) => boolean
} = {}) {
  const imports: { lines: readonly ListLine[]; key: string }[] = []
  const uploads: { ids: string[]; key: string }[] = []
  const api = {
    url,
    importLines: async (
      _collection: string,
      { lines, key }: { lines: readonly ListLine[]; key: string }
    ) => {
      if (!mayRead) throw problem('path_outside_root', 400)
      imports.push({ lines, key })
      return { job: `job-${imports.length}`, total: lines.length }
    },
    uploadPictures: async (_collection: string, files: readonly UploadFile[], key: string) => {
      if (files.some(refuses)) throw problem('too_large', 413)
      uploads.push({ ids: files.map(({ id }) => id), key })
      return { job: `upload-${uploads.length}`, total: files.length }
    }
  } as unknown as ApiClient
  return { api, imports, uploads }
}

async function submit(api: ApiClient, lines: readonly ListLine[]): Promise<SubmittedPart[]> {
  const parts = []
  for await (const part of submitParts(
    { api, collection: 'c', imageRoot: root, keyBase: 'k', onTrouble: () => undefined },
    listOf(lines)
  ))
    parts.push(part)
  return parts
}

const lineOf = (path: string, line: number): ListLine => ({ path, label: 'x', line })

test('an API that may read the folder gets the lines in parts, under the same keys whenever it is sent them', async () => {
  const lines = Array.from({ length: linesPerImport + 3 }, (_, i) => lineOf(`${i}.jpg`, i + 1))
  const first = fakeApi()
  const again = fakeApi()
  expect((await submit(first.api, lines)).flatMap(({ jobs }) => jobs)).toEqual([
    { id: 'job-1', total: linesPerImport },
    { id: 'job-2', total: 3 }
  ])
  await submit(again.api, lines)
  expect(again.imports.map(({ key }) => key)).toEqual(first.imports.map(({ key }) => key))
  expect(new Set(first.imports.map(({ key }) => key)).size).toBe(2)
})

test.each([
  ['may not read the folder', { mayRead: false }],
  ['runs elsewhere', { url: 'https://gallery.example' }]
])('an API that %s is sent the pictures', async (_what, options) => {
  await Promise.all(['a.jpg', 'b c.jpg'].map((name) => writeFile(join(root, name), 'x')))
  await mkdir(join(root, 'folder'))
  await symlink('/etc/hostname', join(root, 'leads-out.jpg'))
  const { api, imports, uploads } = fakeApi(options)
  const known: ListLine = {
    path: 'z',
    line: 7,
    failure: { code: 'missing_label', message: 'no label' }
  }
  const parts = await submit(api, [
    lineOf('a.jpg', 1),
    lineOf('gone.jpg', 2),
    lineOf('b c.jpg', 3),
    lineOf('folder', 4),
    lineOf('leads-out.jpg', 5),
    lineOf('../../etc/passwd', 6),
    known
  ])
  expect(imports).toEqual([])
  expect(uploads).toEqual([{ ids: ['a.jpg', 'b c.jpg'], key: 'k-0-1-3' }])
  expect(parts.flatMap(({ jobs }) => jobs)).toEqual([
    { id: 'upload-1', total: 2, lines: Uint32Array.of(1, 3) }
  ])
  expect(parts.flatMap(({ failures }) => failures.map(({ line, code }) => [line, code]))).toEqual([
    [2, 'image_missing'],
    [4, 'image_missing'],
    [5, 'path_outside_root'],
    [6, expect.stringMatching(/path_outside_root|image_missing/)],
    [7, 'missing_label']
  ])
})

test('one picture that the API will not have costs only itself', async () => {
  const names = Array.from({ length: 9 }, (_, i) => `${i}.jpg`)
  await Promise.all(names.map((name) => writeFile(join(root, name), 'x')))
  const { api, uploads } = fakeApi({ mayRead: false, refuses: ({ id }) => id === '5.jpg' })
  const parts = await submit(
    api,
    names.map((name, i) => lineOf(name, i + 1))
  )
  expect(uploads.flatMap(({ ids }) => ids)).toEqual(names.filter((name) => name !== '5.jpg'))
  expect(new Set(uploads.map(({ key }) => key)).size).toBe(uploads.length)
  expect(parts.flatMap(({ failures }) => failures)).toEqual([
    { line: 6, path: '5.jpg', code: 'too_large', message: 'too_large.' }
  ])
})

test('an error that is not about the pictures ends the build', async () => {
  const { api } = fakeApi()
  const refusing = {
    ...api,
    importLines: async () => Promise.reject(problem('collection_not_found', 404))
  } as ApiClient
  await expect(submit(refusing, [lineOf('a.jpg', 1)])).rejects.toThrow('collection_not_found')
})
