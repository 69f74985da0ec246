// Tests loss of supplied vectors with real processes: bodies of Arrow are sent side by side, and the
// api and the index-worker are killed in the middle. What was acknowledged is there, value by value;
// a body whose answer was lost is there whole or not at all.
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unitVector } from '@likeness/engine/testing/test-items'
import { type VectorItem, writeArrowItems } from '@likeness/shared/contract/arrow/write-arrow-items'
import { decodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { readTextLines } from '@likeness/shared/data/text-lines'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'

const dim = 64
const itemsPerBody = 3000
const senders = 3
const arrow = 'application/vnd.apache.arrow.stream'
let live: LiveStack
beforeAll(async () => {
  live = await startLiveStack({ replicas: { api: 1, 'index-worker': 1, 'embed-worker': 0 } })
})
afterAll(() => live?.stop())

const path = '/v1/collections/bulk/vectors'
const idOf = (body: number, n: number): string => `${body}-${n}`
const vectorOf = (body: number, n: number): Float32Array => unitVector(body * itemsPerBody + n, dim)
function* itemsOf(body: number): Generator<VectorItem> {
  for (let n = 0; n < itemsPerBody; n++)
    yield { id: idOf(body, n), label: `${n % 7}`, vectors: vectorOf(body, n) }
}
async function encode(body: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of writeArrowItems(itemsOf(body), { dim })) parts.push(part)
  return Buffer.concat(parts)
}

/** Returns the job; undefined when the connection broke or the api could not answer. */
async function sendOnce(body: Buffer, key: string | undefined): Promise<string | undefined> {
  const headers = { 'content-type': arrow, ...(key !== undefined && { 'idempotency-key': key }) }
  const response = await fetch(live.stack.apiUrl + path, { method: 'POST', body, headers }).catch(
    () => undefined
  )
  if (response?.status === 202) return ((await response.json()) as { job: string }).job
  if (response !== undefined && response.status < 500 && response.status !== 409)
    throw new Error(`${response.status}: ${await response.text()}`)
  return undefined
}

interface Sent {
  acknowledged: Set<number>
  unknown: Set<number>
  jobs: string[]
}

/** A body of an even number has a key, and is sent again until it is acknowledged. */
async function sendAll(sent: Sent, next: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const body = next()
    const [bytes, key] = [await encode(body), body % 2 === 0 ? `bulk-${body}` : undefined]
    let job = await sendOnce(bytes, key)
    while (job === undefined && key !== undefined) {
      await pause(200)
      job = await sendOnce(bytes, key)
    }
    if (job === undefined) sent.unknown.add(body)
    else {
      sent.acknowledged.add(body)
      sent.jobs.push(job)
    }
  }
}

async function stored(): Promise<Map<string, Float32Array>> {
  const response = await fetch(live.stack.apiUrl + path)
  const found = new Map<string, Float32Array>()
  const chunks = response.body as AsyncIterable<Uint8Array>
  for await (const read of readTextLines(chunks, { maxLineBytes: Infinity })) {
    const { id, vectors } = JSON.parse('text' in read ? read.text : '') as VectorLine
    found.set(id, decodeVector(vectors as string))
  }
  return found
}

test('after kill -9 of the api and of the index-worker every acknowledged body is there', async () => {
  const embedding = { version: 'clip@1/none@1', dim, unit: true }
  await live.api.create('bulk', { metric: 'IP', embedding, settings: { seal_threshold: 5000 } })
  const sent: Sent = { acknowledged: new Set(), unknown: new Set(), jobs: [] }
  const stop = new AbortController()
  let bodies = 0
  const next = (): number => bodies++
  const sending = Promise.all(
    Array.from({ length: senders }, () => sendAll(sent, next, stop.signal))
  )
  for (const victim of ['api', 'index-worker', 'api', 'index-worker']) {
    const before = sent.acknowledged.size
    await expect.poll(() => sent.acknowledged.size, { timeout: 60_000 }).toBeGreaterThan(before + 2)
    await live.killAndRevive(victim)
  }
  stop.abort()
  await sending
  for (const job of sent.jobs)
    expect((await live.api.finished(job)).counts).toMatchObject({ pending: 0, failed: 0 })
  const found = await stored()
  let whole = 0
  for (let body = 0; body < bodies; body++) {
    const ids = Array.from({ length: itemsPerBody }, (_, n) => idOf(body, n))
    const there = ids.filter((id) => found.has(id)).length
    if (sent.acknowledged.has(body)) expect([body, there]).toEqual([body, itemsPerBody])
    else expect([0, itemsPerBody]).toContain(there)
    if (there === itemsPerBody) whole++
  }
  expect(found.size).toBe(whole * itemsPerBody)
  for (const body of sent.acknowledged)
    for (let n = 0; n < itemsPerBody; n += 97)
      expect(Array.from(found.get(idOf(body, n))!)).toEqual(
        Array.from(vectorOf(body, n), (value) => expect.closeTo(value, 6) as number)
      )
  console.log(
    `${bodies} bodies: ${sent.acknowledged.size} acknowledged, ${sent.unknown.size} without an answer, ${whole} there`
  )
})
