// What the fake API remembers: collections, items, and jobs that advance one picture at a time.
import { createHash } from 'node:crypto'
import type { CollectionAnswer, HitAnswer, JobAnswer, SearchAnswer } from '@likeness/shared/contract/http'
import sharp from 'sharp'

export interface FakeItem {
  id: string
  label: string | null
  bytes: Buffer
  size: { width: number; height: number }
}
export interface FakeCollection {
  name: string
  indexMethod: string
  metric: string
  seq: number
  items: Map<string, FakeItem>
}
export interface Upload {
  id: string | null
  label: string | null
  fileName: string
  bytes: Buffer
}

/** Upright size; null: not a picture. */
async function uprightSize(bytes: Buffer): Promise<{ width: number; height: number } | null> {
  const found = await sharp(bytes).metadata().catch(() => null)
  return found === null ? null : found.autoOrient
}

/** 1 for the same bytes, else some score in [0.3, 0.8) that is always the same for the same pair. */
function scoreOf(query: Buffer, item: Buffer): number {
  if (query.equals(item)) return 1
  const digest = createHash('sha256').update(query).update(item).digest()
  return 0.3 + (digest.readUInt16BE(0) / 65_536) * 0.5
}

export function createFakeGallery(perPictureMs: number) {
  const collections = new Map<string, FakeCollection>()
  const jobs = new Map<string, JobAnswer>()
  const timers = new Set<NodeJS.Timeout>()

  function describe(collection: FakeCollection): CollectionAnswer {
    const rows = collection.items.size * 3
    return {
      name: collection.name, incarnation: `01FAKE${collection.name}`, index_method: collection.indexMethod, metric: collection.metric,
      embedding: { version: 'likeness-nano@0.1.0/general@1', dim: 512, unit: true }, settings: {}, created_at: new Date(0).toISOString(),
      seq: collection.seq, items: collection.items.size, rows, open_jobs: [...jobs.values()].filter((job) => job.finished_at === null).length,
      segments: rows === 0 ? [] : [{ id: '01SEGMENT', index: 'FLAT', rows, deleted: 0 }]
    }
  }

  async function applyOne(collection: FakeCollection, job: JobAnswer, upload: Upload, ordinal: number) {
    const id = upload.id ?? createHash('sha256').update(upload.bytes).digest('hex')
    const size = await uprightSize(upload.bytes)
    job.state = 'running'
    job.counts.pending -= 1
    collection.seq += 1
    if (size === null) {
      job.counts.failed += 1
      job.failed.push({ ordinal, id, line: null, code: 'image_corrupt', message: `${upload.fileName} cannot be decoded` })
    } else {
      job.counts.indexed += 1
      collection.items.set(id, { id, label: upload.label, bytes: upload.bytes, size })
    }
    if (job.counts.pending > 0) return
    job.state = 'completed'
    job.seq = collection.seq
    job.finished_at = new Date().toISOString()
  }

  function addJob(collection: FakeCollection, uploads: Upload[]): JobAnswer {
    const job: JobAnswer = {
      id: `job-${jobs.size + 1}`, collection: collection.name, incarnation: `01FAKE${collection.name}`, state: 'queued', source: 'upload', revision: jobs.size + 1,
      counts: { total: uploads.length, pending: uploads.length, indexed: 0, superseded: 0, failed: 0 },
      failed: [], seq: null, created_at: new Date().toISOString(), finished_at: null
    }
    jobs.set(job.id, job)
    let next = 0
    const step = async () => {
      const upload = uploads[next]
      if (upload === undefined) return
      await applyOne(collection, job, upload, next)
      next += 1
      if (next < uploads.length) timers.add(setTimeout(() => void step(), perPictureMs))
    }
    timers.add(setTimeout(() => void step(), perPictureMs))
    return job
  }

  function hitsFor(collection: FakeCollection, query: Buffer, { k, least }: { k: number; least: number }): HitAnswer[] {
    return [...collection.items.values()]
      .map((item) => ({ item, score: scoreOf(query, item.bytes) }))
      .filter(({ score }) => score >= least)
      .sort((a, b) => b.score - a.score)
      .slice(0, k)
      .map(({ item, score }) => {
        const path = `/v1/collections/${collection.name}/items/${encodeURIComponent(item.id)}`
        const { width, height } = item.size
        return { id: item.id, label: item.label, metadata: {}, score, distance: score, metric: collection.metric, box: [0, 0, width, height], image: `${path}/image`, thumbnail: `${path}/thumbnail` }
      })
  }

  /** Null: not a picture. Two subjects (left, right) and the whole picture, unless a box is given. */
  async function search(collection: FakeCollection, query: Buffer, request: { k: number; least: number; box: [number, number, number, number] | null }): Promise<SearchAnswer | null> {
    const picture = await uprightSize(query)
    if (picture === null) return null
    const { width, height } = picture
    const at = (x1: number, y1: number, x2: number, y2: number): [number, number, number, number] => [x1 * width, y1 * height, x2 * width, y2 * height]
    const hits = hitsFor(collection, query, request)
    const object = (kind: 'subject' | 'whole' | 'given', box: [number, number, number, number], own: HitAnswer[]) => ({ kind, box, class: kind === 'subject' ? 'item' : null, detector_score: kind === 'subject' ? 0.9 : null, hits: own })
    const objects = request.box !== null
      ? [object('given', request.box, hits)]
      : [object('subject', at(0.06, 0.14, 0.47, 0.86), hits.filter((_, index) => index % 2 === 0)), object('subject', at(0.54, 0.2, 0.95, 0.8), hits.filter((_, index) => index % 2 === 1)), object('whole', at(0, 0, 1, 1), hits.slice(0, 1))]
    return { collection: collection.name, index_seq: collection.seq, objects, hits, picture, took_ms: { embed: 41.2, search: 0.8, total: 44.1 } }
  }

  return {
    collections, jobs, describe, addJob, search,
    create(spec: { name: string; index_method?: string; metric?: string }): FakeCollection {
      const collection = { name: spec.name, indexMethod: spec.index_method ?? 'HNSW32', metric: spec.metric ?? 'IP', seq: 1, items: new Map<string, FakeItem>() }
      collections.set(spec.name, collection)
      return collection
    },
    stop: () => { for (const timer of timers) clearTimeout(timer) }
  }
}
export type FakeGallery = ReturnType<typeof createFakeGallery>
