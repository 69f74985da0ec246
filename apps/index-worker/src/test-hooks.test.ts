import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  mergePoints,
  pinnedPoints,
  reachedName,
  withMergeHooks,
  withTestHooks
} from './test-hooks.ts'

let dir: string
beforeEach(() => {
  dir = temporaryFolder('points')
})

const keyOf = (point: (typeof pinnedPoints)[number]): string => {
  if (point.endsWith('segment')) return 'c/A/seg/1.meta'
  if (point.endsWith('delete')) return 'c/A/log/00000000000001'
  return point.endsWith('cas') ? 'c/A/CURRENT' : 'c/A/job/000000000001-B.ended'
}

test('without hooks the store is the one that was given', () => {
  const store = createMemoryStore()
  expect(withTestHooks(store, undefined)).toBe(store)
})

test.each(pinnedPoints)('%s is met once, with the write done only after it', async (point) => {
  const sent: string[] = []
  const seen: boolean[] = []
  const inner = createMemoryStore()
  const store = withTestHooks(inner, JSON.stringify({ pointsDir: dir }), (signal) => {
    sent.push(signal)
    seen.push(existsSync(join(dir, point)))
  })
  const key = keyOf(point)
  const write = async (n: number): Promise<void> => {
    if (point.endsWith('delete')) await store.delete([key])
    else if (point.endsWith('cas')) await store.putIf(key, Buffer.from(`${n}`), { create: true })
    else await store.put(key, Buffer.from(`${n}`))
  }
  await write(1)
  expect(sent).toEqual([])
  await inner.delete([key])
  writeFileSync(join(dir, point), 'SIGSTOP')
  await write(2)
  await write(3)
  expect({ sent, seen }).toEqual({ sent: ['SIGSTOP'], seen: [false] })
  const [signal, line] = readFileSync(join(dir, reachedName(point)), 'utf8')
    .trim()
    .split('\n')
  expect(signal).toBe('SIGSTOP')
  expect(JSON.parse(line!)).toMatchObject({ pid: process.pid, key })
})

test('a merge and a fold meet their points in order, each once: an input read, the first file before it is written, the last one after', async () => {
  const sent: string[] = []
  const inner = createMemoryStore()
  const written = (key: string) => inner.head(key).then((info) => info !== undefined)
  let writtenThen: Promise<boolean>[] = []
  const store = withMergeHooks(inner, JSON.stringify({ pointsDir: dir }), (signal) => {
    sent.push(signal)
    writtenThen = ['c/A/seg/2.index', 'c/A/seg/2.meta'].map(written)
  })
  for (const point of mergePoints) writeFileSync(join(dir, point), 'SIGSTOP')
  await store.get('c/A/CURRENT')
  expect(sent).toHaveLength(0)
  await store.get('c/A/seg/1.meta')
  expect(sent).toHaveLength(1)
  await store.put('c/A/seg/2.index', Buffer.from('1'))
  expect(await Promise.all(writtenThen)).toEqual([false, false])
  await store.put('c/A/seg/2.payload', Buffer.from('1'))
  expect(sent).toHaveLength(2)
  await store.put('c/A/seg/2.meta', Buffer.from('1'))
  expect(await Promise.all(writtenThen)).toEqual([true, true])
  expect(sent).toHaveLength(3)
  await store.put('c/A/base/1-1.B', Buffer.from('1'))
  expect(sent).toHaveLength(5)
  await store.get('c/A/seg/1.meta')
  expect(sent).toHaveLength(5)
  expect(
    mergePoints.map(
      (point) =>
        JSON.parse(readFileSync(join(dir, reachedName(point)), 'utf8').split('\n')[1]!)
          .key as string
    )
  ).toEqual([
    'c/A/seg/1.meta',
    'c/A/seg/2.index',
    'c/A/seg/2.meta',
    'c/A/base/1-1.B',
    'c/A/base/1-1.B'
  ])
})

test('other writes, and reads of the same keys, meet no point', async () => {
  const sent: string[] = []
  const store = withTestHooks(
    createMemoryStore(),
    JSON.stringify({ pointsDir: dir }),
    (signal) => void sent.push(signal)
  )
  for (const point of pinnedPoints) writeFileSync(join(dir, point), 'SIGKILL')
  await store.put('c/A/man/1.json', Buffer.from('{}'))
  await store.putIf('catalog/CURRENT', Buffer.from('{}'), { create: true })
  for (const point of pinnedPoints) await store.get(keyOf(point))
  expect(sent).toEqual([])
})
