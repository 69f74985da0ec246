// What has to happen when a file of a kind is damaged: who must refuse it, by its name, and what must go on.
import { join } from 'node:path'
import { readRecord } from '@likeness/api/idempotency/record'
import { createChunkProcessor } from '@likeness/embed-worker/chunk/process-chunk'
import { createCatalog } from '@likeness/engine'
import { createJobs, verifyCollection } from '@likeness/engine/testing/internals'
import { vectorOf } from '@likeness/engine/testing/test-items'
import { catalogNamesPrefix } from '@likeness/shared/contract/keys'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { idsOf, type Kind } from './damaged-gallery.ts'
import { type Judge, mustRefuse, same } from './must-refuse.ts'
import { createOverlayStore } from './overlay-store.ts'
import {
  batchIsRemoved,
  mergeRefuses,
  nothingIsCollected,
  ownerRefuses,
  rebuildRefuses,
  sharedBatchWaits
} from './owner-judges.ts'

/** It tries the newest version, has an alarm, and serves the old one, whole. */
const oldVersionStays: Judge = async ({ gallery: { spec }, old }, key) => {
  await old.forgetNewer()
  const problem = await mustRefuse('the old replica', key, () =>
    idsOf(old.replica, spec.collectionId, 'strong')
  )
  if (problem !== undefined) return problem
  const { seq, ids } = await idsOf(old.replica, spec.collectionId, 'eventual')
  if (seq !== old.seq || !same(ids, old.ids))
    return `the old replica serves version ${seq} with ${ids.length} items`
  const alarm = old.replica.status()[0]?.alarm ?? 'none'
  return alarm.includes(key) ? undefined : `the alarm of the old replica is ${alarm}`
}

const freshReplicaRefuses: Judge = async ({ newReplica, gallery: { spec } }, key) => {
  const { replica, close } = await newReplica()
  try {
    return await mustRefuse('a fresh replica', key, () =>
      idsOf(replica, spec.collectionId, 'strong')
    )
  } finally {
    await close()
  }
}

/** What a search with a filter needs can be made of payloads: it answers as if nothing was. */
const filtersStillAnswer: Judge = async ({ newReplica, gallery: { spec } }) => {
  const { replica, close } = await newReplica()
  const reader = await replica.acquire(spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 30_000
  })
  try {
    const [hits] = await reader.search({
      vectors: vectorOf(1_100),
      k: 3,
      filter: { label: 'label-1300' }
    })
    return same(
      hits!.map(({ item }) => item.id),
      ['item-1300']
    )
      ? undefined
      : `a filtered search answers ${hits!.map(({ item }) => item.id).join()}`
  } finally {
    reader.release()
    await close()
  }
}

const itemsOfListFail: Judge = async ({
  gallery: { store, keys, spec },
  open: { ingestion, firstOrdinal, size }
}) => {
  const overlay = createOverlayStore(store)
  const { embedding } = spec
  const embed = createChunkProcessor({
    store: overlay,
    model: { rawDim: 0 },
    embeddings: { check: async () => undefined },
    announce: () => undefined,
    openShared: () => {
      throw new Error('the items of a list have batches of their own')
    },
    embedItem: () => Promise.reject(new Error('nothing of a damaged list may be embedded')),
    openInFlight: () => ({
      leftovers: async () => new Map(),
      take: async () => undefined,
      letGo: () => undefined,
      flush: async () => undefined
    })
  })
  const job = {
    collectionId: spec.collectionId,
    ingestion,
    firstOrdinal,
    size,
    embedding,
    enrolment: enrolmentSchema.parse(spec.settings),
    feeding: 1
  }
  const { failed } = await embed(job, {
    priority: 'bulk',
    signal: new AbortController().signal,
    repeated: false,
    logger: silentLogger()
  })
  const codes: (string | undefined)[] = []
  for await (const { key } of overlay.list(keys.batchPrefix(ingestion))) {
    if ((await store.head(key)) === undefined)
      codes.push(
        ...decodeVectorBatch((await overlay.get(key))!.body).header.items.map(
          ({ failure }) => failure?.code
        )
      )
  }
  return failed === size &&
    same(
      codes.map(String),
      Array.from({ length: size }, () => 'data_corrupt')
    )
    ? undefined
    : `${failed} failed, with ${codes.join()}`
}

const catalogueRefuses: Judge = ({ gallery: { store } }, key) =>
  mustRefuse('the catalogue', key, () =>
    createCatalog({ store, clock: systemClock }).list({ fresh: true })
  )
const nameRefuses: Judge = ({ gallery: { store } }, key) =>
  mustRefuse('the name', key, () =>
    createCatalog({ store, clock: systemClock }).resolve(key.slice(catalogNamesPrefix.length))
  )
/** Asks a process that has not read the page yet. */
const jobRefuses: Judge = ({ gallery: { store, jobs }, finished }, key) =>
  mustRefuse('the job', key, () => createJobs({ store }).status(jobs.idOf(finished)))
const failuresRefuse: Judge = ({ gallery: { jobs }, finished }, key) =>
  mustRefuse('the list of failures', key, () => jobs.failedItems(finished))
const recordRefuses: Judge = ({ gallery: { store } }, key) =>
  mustRefuse('the retry', key, () => readRecord(store, key))

/** Reads everything there is, so it takes the longest. */
export const verifyNames: Judge = async ({ gallery: { store, spec }, dir }, key) => {
  const { problems } = await verifyCollection({
    store,
    collectionId: spec.collectionId,
    scratchDir: join(dir, 'verify')
  })
  return problems.some((problem) => problem.key === key)
    ? undefined
    : `verify names ${problems.map((problem) => problem.key).join(' ') || 'nothing'}`
}

const read = [oldVersionStays, freshReplicaRefuses, verifyNames]
export const judges: Record<Kind, readonly Judge[]> = {
  index: [...read, mergeRefuses],
  meta: [...read, ownerRefuses],
  payload: [...read, mergeRefuses],
  vectors: [...read, mergeRefuses],
  columns: [filtersStillAnswer, verifyNames],
  'deletion bitmap': [...read, ownerRefuses],
  'relabel overlay': [...read, ownerRefuses],
  manifest: [...read, ownerRefuses],
  CURRENT: [...read, ownerRefuses],
  'state lines': [ownerRefuses, verifyNames],
  'newer state lines': [ownerRefuses, verifyNames],
  'page of jobs': [jobRefuses, verifyNames],
  quantizer: [mergeRefuses, verifyNames],
  'manifest of a snapshot': [nothingIsCollected, verifyNames],
  'log slot': [ownerRefuses, verifyNames],
  'applied log slot': [rebuildRefuses, verifyNames],
  'vector batch': [batchIsRemoved, verifyNames],
  'applied vector batch': [rebuildRefuses, verifyNames],
  'shared batch': [sharedBatchWaits, verifyNames],
  'applied shared batch': [rebuildRefuses, verifyNames],
  'item list': [itemsOfListFail, verifyNames],
  catalogue: [catalogueRefuses],
  'name of a collection': [nameRefuses],
  'ended jobs': [verifyNames],
  'failed items': [failuresRefuse, verifyNames],
  'idempotency record': [recordRefuses]
}
