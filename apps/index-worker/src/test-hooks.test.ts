import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryStore } from '@likeness/shared/store/memory-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pinnedPoints, reachedName, withTestHooks } from './test-hooks.ts'
import type { PinnedPoint } from './test-hooks.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'likeness-points-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const keyOf = (point: PinnedPoint): string => (point.endsWith('segment') ? 'c/A/seg/1.meta' : point.endsWith('cas') ? 'c/A/CURRENT' : 'c/A/job/1/result.json')

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
  const write = (n: number) => (point.endsWith('cas') ? store.putIf(key, Buffer.from(`${n}`), { create: true }) : store.put(key, Buffer.from(`${n}`)))
  await write(1)
  expect(sent).toEqual([])
  await inner.delete([key])
  writeFileSync(join(dir, point), 'SIGSTOP')
  await write(2)
  await write(3)
  expect({ sent, seen }).toEqual({ sent: ['SIGSTOP'], seen: [false] })
  const [signal, line] = readFileSync(join(dir, reachedName(point)), 'utf8').trim().split('\n')
  expect(signal).toBe('SIGSTOP')
  expect(JSON.parse(line!)).toMatchObject({ pid: process.pid, key })
})

test('other writes, and reads of the same keys, meet no point', async () => {
  const sent: string[] = []
  const store = withTestHooks(createMemoryStore(), JSON.stringify({ pointsDir: dir }), (signal) => void sent.push(signal))
  for (const point of pinnedPoints) writeFileSync(join(dir, point), 'SIGKILL')
  await store.put('c/A/man/1.json', Buffer.from('{}'))
  await store.putIf('catalog/CURRENT', Buffer.from('{}'), { create: true })
  for (const point of pinnedPoints) await store.get(keyOf(point))
  expect(sent).toEqual([])
})
