// Measures what an operation costs when many of its kind went before: single uploads of given vectors
// through the real processes, 10 % of them updates, and as many deletes, over a directory store. Prints
// the processor time of an operation in the api and in the owner at 1 k, 10 k, 100 k ... operations,
// and what is kept in the end, once all of it is folded. Live bytes are those of the segments and, from
// packs, those of live arrivals: every vector is kept in both. `--s3`: over a real S3 server (see
// test/support/s3-kinds.ts), with the number of requests of an operation.
// npm run bench -- age [--uploads 10000] [--dim 128] [--s3] [--json]
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  createFaissSegmentFiles,
  createFileCache,
  createReplica,
  openCollectionWriter,
  rebuildCollection
} from '@likeness/engine'
import { decodeBase, readCommitted } from '@likeness/engine/testing/internals'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { type Stack, startStack } from '../../apps/cli/src/stack/start-stack.ts'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { median, round, timed } from '../measure.ts'
import { dollarsOf, type RequestKind } from './counting-proxy.ts'
import { directoryPlace, type Kept, s3Place } from './places.ts'

const { values: args } = parseArgs({
  options: {
    uploads: { type: 'string', default: '10000' },
    dim: { type: 'string', default: '128' },
    s3: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const [uploads, dim] = [Number(args.uploads), Number(args.dim)]
const atOnce = 16
/** Operations over which processor time is counted, before a mark: merges and folds come in bursts. */
const windowOf = (mark: number): number => Math.min(20_000, mark / 2)
const marks = [1_000, 10_000, 100_000, 300_000, 1_000_000].filter((mark) => mark <= uploads)
const updateShare = 0.1
const deleteShare = 0.1
const ticksPerSecond = 100

const dir = await mkdtemp(join(tmpdir(), 'likeness-age-'))
const logger = silentLogger()
const vectors = clusteredVectors({ seed: 1, stream: 0, count: 1_000, dim })
const place = args.s3 ? await s3Place() : directoryPlace(join(dir, 'stack'))
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Processor time in milliseconds of a process and its children. */
async function processorMs(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const pids = [pid, ...children.split(' ').filter(Boolean).map(Number)]
  let ticks = 0
  for (const one of pids) {
    const text = await readFile(`/proc/${one}/stat`, 'utf8').catch(() => '')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  return (1000 * ticks) / ticksPerSecond
}

async function send(stack: Stack, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(`${stack.apiUrl}${path}`, init)
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return await response.json()
}

/** Sends operation `n`: an upload of a new item or of a former one, or a delete of a former one. */
async function operate(stack: Stack, n: number, draw: number): Promise<void> {
  const former = Math.floor(Math.random() * n)
  if (n > 0 && draw < deleteShare) {
    const path = `/v1/collections/age/items/item-${former}`
    const { status } = await fetch(`${stack.apiUrl}${path}`, { method: 'DELETE' })
    if (status >= 500) throw new Error(`${path}: ${status}`)
  }
  const id = n > 0 && Math.random() < updateShare ? former : n
  const at = Math.floor(Math.random() * 1_000)
  const row = Buffer.from(vectors.slice(at * dim, (at + 1) * dim).buffer).toString('base64')
  await send(stack, '/v1/collections/age/vectors', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${JSON.stringify({ id: `item-${id}`, label: `l${at % 100}`, vectors: row })}\n`
  })
}

interface Collection {
  incarnation: string
  items: number
  open_jobs: number
}
async function settled(stack: Stack): Promise<Collection> {
  for (;;) {
    const found = (await send(stack, '/v1/collections/age')) as Collection
    if (found.open_jobs === 0) return found
    await clock.sleep(100)
  }
}

/** Sends operations [from, to), and waits until they are applied. */
async function operateAll(stack: Stack, from: number, to: number): Promise<void> {
  let next = from
  const worker = async () => {
    while (next < to) await operate(stack, next++, Math.random())
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await settled(stack)
}

/** Milliseconds of processor time of an operation, in the api and in the owner. */
async function costOf(stack: Stack, from: number, to: number) {
  const pids = stack.pids()
  const [api, owner] = [pids.api!, pids['index-worker']!]
  const before = [await processorMs(api), await processorMs(owner)] as const
  await operateAll(stack, from, to)
  return {
    api: (await processorMs(api)) - before[0],
    owner: (await processorMs(owner)) - before[1]
  }
}

/** Arrivals in the packs of the newest base. */
async function arrivalsPacked(collectionId: string): Promise<{ arrivals: number }> {
  const store = await place.open()
  const { history } = (await readCommitted(store, collectionId))!
  const { base } = await decodeBase(store, history!.base!.key)
  await store.close()
  return { arrivals: base.packs.reduce((sum, pack) => sum + pack.arrivals, 0) }
}

/** What is kept once the whole history is folded, and what two bases stand for is deleted. */
async function foldAll(collectionId: string) {
  const store = await place.open()
  const cache = createFileCache({ store, dir: join(dir, 'folding') })
  const files = createFaissSegmentFiles({ store, cache })
  const foldShape = { batches: 0, slots: 1, afterMs: 0 }
  const deps = { store, clock, files, logger, collectionId, retentionMs: 0, foldShape }
  const writer = (await openCollectionWriter({ ...deps, announce: () => {} }))!
  const foldMs = await timed(async () => {
    while (await writer.fold());
  })
  const deleteMs = await timed(async () => {
    while (await writer.collectFolded());
    await writer.collect()
  })
  await store.close()
  say(`folded in ${(foldMs / 1_000).toFixed(1)} s, deleted in ${(deleteMs / 1_000).toFixed(1)} s`)
}

/** Starts of owner and replica, and a rebuild, over the store that the processes left. */
async function startsOver(collectionId: string, items: number) {
  const store = await place.open()
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(dir, 'owner') })
  })
  const deps = { store, clock, files, logger, collectionId, retentionMs: 0, announce: () => {} }
  const ownerMs = await timed(() => openCollectionWriter(deps))
  const replica = createReplica({
    store,
    clock,
    logger,
    cacheDir: join(dir, 'replica'),
    pollMs: 1_000
  })
  const replicaMs = await timed(async () =>
    (await replica.acquire(collectionId, { consistency: 'strong', timeoutMs: 30_000 })).release()
  )
  await replica.close()
  const rebuildMs = await timed(() => rebuildCollection(deps))
  await store.close()
  return { ownerMs, replicaMs, rebuildItemsPerS: items / (rebuildMs / 1_000) }
}

const inMb = (bytes: number): string => (bytes / 1e6).toFixed(1)
const sayKept = (when: string, items: number, kept: Kept): void =>
  say(
    `${when}: ${items} items, ${kept.files} objects, ${kept.folders} folders, ${inMb(kept.bytes)} MB of blocks, segments ${inMb(kept.segmentBytes)} MB, packs ${inMb(kept.packBytes)} MB`
  )

const stack = await startStack({
  dataDir: join(dir, 'stack'),
  objectStore: place.objectStore,
  embedProcesses: 1,
  logger
})
try {
  const embedding = { version: 'age@1/none@1', dim, unit: true }
  const created = (await send(stack, '/v1/collections', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'age', index_method: 'FLAT', embedding })
  })) as Collection
  const costs: { mark: number; api: number; owner: number }[] = []
  let done = 0
  for (const mark of marks) {
    const window = windowOf(mark)
    await operateAll(stack, done, mark - window)
    const { api, owner } = await costOf(stack, mark - window, mark)
    costs.push({ mark, api: api / window, owner: owner / window })
    say(
      `at ${mark}: ${(api / window).toFixed(2)} ms of the api, ${(owner / window).toFixed(2)} ms of the owner`
    )
    done = mark
  }
  await operateAll(stack, done, uploads)
  const { items } = await settled(stack)
  const pages: number[] = []
  for (let n = 0; n < 21; n++)
    pages.push(await timed(() => send(stack, '/v1/jobs?collection=age&limit=50')))
  await stack.stop()
  const requests = place.takeRequests()
  sayKept('before the last fold', items, await place.kept())
  await foldAll(created.incarnation)
  const kept = await place.kept()
  sayKept('all folded', items, kept)
  const { arrivals } = await arrivalsPacked(created.incarnation)
  const liveBytes = kept.segmentBytes + (kept.packBytes * items) / arrivals
  const starts = await startsOver(created.incarnation, items)
  // The first operations meet cold code.
  const [early, late] = [costs[1] ?? costs[0]!, costs.at(-1)!]
  say(
    `replica start ${(starts.replicaMs / 1_000).toFixed(2)} s, owner start ${(starts.ownerMs / 1_000).toFixed(2)} s`
  )
  const result = {
    uploads,
    lateToEarly: { api: round(late.api / early.api, 2), owner: round(late.owner / early.owner, 2) },
    objectsPerItem: round(kept.files / items, 2),
    bytesToLive: round(kept.bytes / liveBytes, 2),
    jobsPageMs: round(median(pages), 1),
    ownerStartS: round(starts.ownerMs / 1_000, 2),
    rebuildItemsPerS: Math.round(starts.rebuildItemsPerS),
    ...(requests && {
      requestsPerUpload: Object.fromEntries(
        Object.entries(requests).map(([kind, n]) => [kind as RequestKind, round(n / uploads, 3)])
      ),
      dollarsPerMillionUploads: round((1e6 * dollarsOf(requests)) / uploads, 2)
    })
  }
  console.log(args.json ? JSON.stringify(result) : result)
} finally {
  await stack.stop()
  await place.close()
  await rm(dir, { recursive: true, force: true })
}
