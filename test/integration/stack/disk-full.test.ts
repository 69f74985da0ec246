// Tests a disk that is full, with everything on it: objects, Redis, logs and caches. Without the right
// to mount a disk (root) these tests do not run, and say so.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { Problem } from '@likeness/shared/contract/http/problem'
import type { TroubleAnswer } from '@likeness/shared/contract/http/troubles'
import { silentAfterMs } from '@likeness/shared/contract/presence'
import {
  type LiveStack,
  parentOf,
  plainSettings,
  startLiveStack
} from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

const mebibyte = 1024 * 1024
const collection = 'marks'
/** The last items wait here for their pictures, so that jobs are open when the disk is full. */
const held = 'held/'
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({
    diskBytes: 256 * mebibyte,
    hooks: { delayOnPrefixMs: { [held]: 3_000 } }
  })
  if (live.disk === undefined) console.log('NOT RUN: no right to mount a tmpfs (run as root)')
})
afterAll(() => live.stop())

const url = (path: string): string => `${live.stack.apiUrl}${path}`
async function ask<T>(path: string, init?: RequestInit): Promise<{ status: number; body: T }> {
  const response = await fetch(url(path), init)
  return { status: response.status, body: (await response.json()) as T }
}
async function upload(id: string, seed: number) {
  const form = new FormData()
  form.append('id', id)
  form.append('label', id)
  form.append('image', new Blob([new Uint8Array(await pictureOf(seed))]), 'a.jpg')
  return ask<Problem & { job: string; reason?: string }>(`/v1/collections/${collection}/images`, {
    method: 'POST',
    body: form
  })
}
async function searchBy(seed: number) {
  const form = new FormData()
  form.append('image', new Blob([new Uint8Array(await pictureOf(seed))]), 'a.jpg')
  return ask<{ hits: { id: string }[] }>(`/v1/collections/${collection}/search`, {
    method: 'POST',
    body: form
  })
}
const status = async () => (await ask<{ troubles: TroubleAnswer[] }>('/v1/status')).body.troubles
const partsNotReady = async (): Promise<string[]> => {
  const { parts } = (await ask<{ parts: Record<string, { ok: boolean }> }>('/readyz')).body
  return Object.entries(parts).flatMap(([name, { ok }]) => (ok ? [] : [name]))
}

test('searches go on, writes are refused with the reason, everything is told, and all goes on by itself when there is room', async ({
  skip
}) => {
  const { disk } = live
  if (disk === undefined) return skip('no right to mount')
  await live.api.create(collection, { settings: plainSettings })
  await live.api.finished((await upload('first', 1)).body.job)
  await expect.poll(async () => (await searchBy(1)).body.hits[0]?.id).toBe('first')
  const open = await upload(`${held}one`, 2)
  expect(open.status).toBe(202)

  disk.fill()
  const refused = await upload('second', 3)
  expect(refused).toMatchObject({
    status: 503,
    body: { code: 'store_unavailable', reason: 'no_space' }
  })
  expect(refused.body.detail).toContain('no space')
  // Longer than a worker that Redis hears no more of would be known.
  const untilMs = Date.now() + silentAfterMs + 2_000
  while (Date.now() < untilMs) {
    expect(await ask('/livez')).toEqual({ status: 200, body: { status: 'ok' } })
    expect(await searchBy(1)).toMatchObject({ status: 200, body: { hits: [{ id: 'first' }] } })
    expect((await upload('second', 3)).status).toBe(503)
  }
  // Which worker has something to write depends on the moment.
  await expect
    .poll(async () => new Set((await status()).map(({ process }) => process)).size)
    .toBeGreaterThan(1)
  expect((await status()).map(({ detail }) => detail).join()).toContain('no space')
  const { body } = await ask<CollectionAnswer>(`/v1/collections/${collection}`)
  expect(body.troubles.map(({ code }) => code)).toContain('store_unavailable')
  expect((await live.api.job(open.body.job)).waiting?.detail).toMatch(/no space/i)
  expect(await partsNotReady()).toEqual(expect.arrayContaining(['store']))

  disk.makeRoom()
  await live.api.finished(open.body.job)
  await expect.poll(partsNotReady, { timeout: 60_000 }).toEqual([])
  expect(await status()).toEqual([])
  await live.api.finished((await upload('second', 3)).body.job)
  await expect.poll(async () => (await searchBy(3)).body.hits[0]?.id).toBe('second')
})

test('every process ends when it is asked to on a full disk, and its successor works once there is room', async ({
  skip
}) => {
  const { disk, stack } = live
  if (disk === undefined) return skip('no right to mount')
  disk.fill()
  for (const name of ['api', 'embed-worker', 'index-worker']) {
    const pid = stack.process(name).pid()!
    process.kill(pid, 'SIGTERM')
    await expect.poll(() => parentOf(pid), { timeout: 60_000 }).toBeUndefined()
  }
  disk.makeRoom()
  for (const name of ['redis', 'api', 'embed-worker', 'index-worker'])
    await stack.process(name).whenReady()
  await live.api.finished((await upload('third', 4)).body.job)
  await expect.poll(async () => (await searchBy(4)).body.hits[0]?.id).toBe('third')
})
