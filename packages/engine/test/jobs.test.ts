// Jobs of a collection: pages of the list, cancel, retention, and what a rebuild makes of them.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseJobId } from '@likeness/shared/contract/job-id'
import type { JobStatus } from '../src/contract.ts'
import { createJobs } from '../src/jobs/jobs.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { smallState } from '../src/testing/small-state.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { readCurrent } from '../src/version/current.ts'
import { readCommitted } from '../src/version/read-manifest.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

const stateShape = { ...smallState, recentBytes: 350, leastDeltaBytes: 2000, jobsOfPage: 3 }
let gallery: Gallery
let writer: CollectionWriter

beforeEach(async () => {
  gallery = await createGallery({ stateShape })
  writer = await gallery.openWriter()
})
afterEach(async () => {
  vi.useRealTimers()
  await gallery.close()
})

const settle = async (): Promise<void> => {
  while ((await writer.step({ list: true })).more);
}
const manifest = async () => (await readCommitted(gallery.store, gallery.spec.collectionId))!
/** Lists everything, `limit` jobs at a time. */
async function listAll(limit: number, state?: JobStatus['state']): Promise<JobStatus[]> {
  const jobs: JobStatus[] = []
  for (let before: number | undefined; ; ) {
    const page = await gallery.jobs.list({ collection: gallery.spec, limit, before, state })
    expect(page.jobs.length).toBeLessThanOrEqual(limit)
    jobs.push(...page.jobs)
    if (page.next === null) return jobs
    before = page.next
  }
}
const cancel = async (ingestion: string): Promise<number> =>
  await gallery.operate({
    kind: 'cancel',
    revision: parseJobId(gallery.jobs.idOf(ingestion))!.revision
  })

/** Thirteen jobs of which each third stays open, and two that no commit has yet. */
async function fill(): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < 13; n++) {
    if (n % 3 === 0) ids.push((await gallery.accept([{ id: `open-${n}` }])).ingestion)
    else ids.push(await gallery.add(writer, [{ id: `item-${n}` }]))
  }
  await settle()
  for (const id of ['later-1', 'later-2']) ids.push((await gallery.accept([{ id }])).ingestion)
  return ids.map((id) => gallery.jobs.idOf(id))
}

test.each([1, 2, 5, 50])('pages of %i list every job once, newest first', async (limit) => {
  const ids = await fill()
  const { state } = await manifest()
  expect([state.base.length > 1, state.deltas.length > 0]).toEqual([true, true])
  const jobs = await listAll(limit)
  expect(jobs.map(({ id }) => id)).toEqual(ids.toReversed())
  expect(jobs.map(({ state: one }) => one === 'completed')).toEqual(
    ids.map((_, n) => n < 13 && n % 3 !== 0).toReversed()
  )
  for (const job of jobs) expect(await createJobs(gallery).status(job.id)).toEqual(job)
})

test('a list of one state has the jobs of that state', async () => {
  const ids = await fill()
  expect((await listAll(2, 'completed')).map(({ id }) => id)).toEqual(
    ids.filter((_, n) => n < 13 && n % 3 !== 0).toReversed()
  )
  expect((await listAll(2, 'queued')).map(({ id }) => id)).toEqual(
    ids.filter((_, n) => n >= 13 || n % 3 === 0).toReversed()
  )
  expect(await listAll(2, 'cancelled')).toEqual([])
})

test('a job is answered with the slot, the lines or the page that has it, however many there are', async () => {
  await fill()
  const reads: string[] = []
  const { store } = gallery
  const counting = {
    ...store,
    async get(key: string) {
      reads.push(key.replace(/^.*?\/([^/]*)$/, '$1'))
      return await store.get(key)
    },
    list: () => {
      throw new Error('no listing')
    }
  }
  for (const { id } of await listAll(50)) {
    reads.length = 0
    await createJobs({ store: counting }).status(id)
    expect(reads.length).toBeLessThan(12)
  }
})

test('no job is a job: a revision of another operation, one beyond the log, another collection', async () => {
  const ids = await fill()
  const removal = await gallery.remove('item-1')
  const { collectionId } = gallery.spec
  for (const id of [
    `${collectionId}-${removal}`,
    `${collectionId}-1`,
    `${collectionId}-99999999`,
    ids[0]!.replace(collectionId, '01ARZ3NDEKTSV4RRFFQ69G5FAV'),
    'catalog/CURRENT',
    ''
  ])
    await expect(gallery.jobs.status(id)).rejects.toMatchObject({ code: 'job_not_found' })
})

test('a cancel ends a job: what was applied stays, nothing else comes, and what waited for it goes', async () => {
  const items = itemsFrom(1, 5)
  const { ingestion } = await gallery.accept(items)
  await gallery.embed(ingestion, items.slice(0, 2))
  await gallery.remove('item-4', 'unknown')
  await settle()
  const revision = await cancel(ingestion)
  await gallery.embed(ingestion, items.slice(2), 2)
  await settle()
  expect(await gallery.outcome(revision)).toMatchObject({ items: 3 })
  const ended = await gallery.jobs.status(ingestion)
  expect(ended).toMatchObject({
    state: 'cancelled',
    seq: writer.seq,
    counts: { total: 5, indexed: 2, pending: 0, cancelled: 3 }
  })
  expect(await gallery.allIds()).toEqual(['item-1', 'item-2'])
  await gallery.embed(ingestion, items.slice(2, 3), 2)
  await settle()
  expect([await gallery.allIds(), writer.hasOpen]).toEqual([['item-1', 'item-2'], false])
  expect((await manifest()).open).toEqual({ jobs: 0, items: 0, bytes: 0, oldest: null })
  expect((await manifest()).state.recent.filter(({ kind }) => kind === 'tombstone')).toEqual([])
  const again = await cancel(ingestion)
  await settle()
  expect(await gallery.outcome(again)).toMatchObject({ error: 'job_ended' })
  expect(await gallery.jobs.status(ingestion)).toEqual(ended)
})

test.each(['a rebuild', 'a lost manifest'])(
  'after %s a cancelled job has no more items than before',
  async (what) => {
    const items = itemsFrom(1, 4)
    const { ingestion } = await gallery.accept(items)
    await gallery.embed(ingestion, items.slice(1, 2), 1)
    await settle()
    await cancel(ingestion)
    await settle()
    // Comes late, and lies among the batches from which the collection is made again.
    await gallery.embed(ingestion, items.slice(2), 2)
    await fill()
    const [before, jobs] = [await gallery.allIds(), await listAll(50)]
    if (what === 'a rebuild') writer = await gallery.rebuild()
    else {
      const { appender, spec } = gallery
      await appender.append(spec.collectionId, { kind: 'rebuild', opId: 'r', atMs: Date.now() })
      const { current } = (await readCurrent(gallery.store, gallery.keys.current))!
      await gallery.store.put(current.manifest, Buffer.from('damaged'))
      writer = await gallery.openOrRebuild()
    }
    await settle()
    expect(await gallery.allIds()).toEqual(before)
    expect(before).toContain('item-2')
    expect(before).not.toContain('item-3')
    expect(withoutTimes(await listAll(50))).toEqual(withoutTimes(jobs.map(settled)))
  }
)

/** The two jobs that no commit had are registered now, and are still queued. */
const settled = (job: JobStatus): JobStatus =>
  job.state === 'queued' ? { ...job, awaits: gallery.spec.embedding } : job
const withoutTimes = (jobs: readonly JobStatus[]) =>
  jobs.map(({ finishedAtMs: _at, ...job }) => job)

test('an ended job is forgotten after its retention, and its page with it', async () => {
  await gallery.close()
  vi.useFakeTimers({ toFake: ['Date'] })
  gallery = await createGallery({ stateShape, jobRetentionMs: 3_600_000 })
  writer = await gallery.openWriter()
  const open = await gallery.accept([{ id: 'open' }])
  for (let n = 0; n < 7; n++) await gallery.add(writer, [{ id: `item-${n}` }])
  vi.setSystemTime(Date.now() + 3_600_001)
  const last = await gallery.add(writer, [{ id: 'last' }])
  await gallery.add(writer, [{ id: 'item-0' }])
  const kept = (await listAll(50)).map(({ ingestion }) => ingestion)
  expect([kept.includes(last), kept.includes(open.ingestion), kept.length]).toEqual([true, true, 3])
  await writer.collect()
  expect((await gallery.storedKeys('')).filter((key) => key.endsWith('.jobs'))).toEqual([])
})

test('a job whose page is gone is damaged, and the others are answered', async () => {
  await fill()
  const [page] = (await gallery.storedKeys('')).filter((key) => key.endsWith('.jobs'))
  const jobs = await listAll(50)
  await gallery.store.delete([page!])
  const answers = await Promise.allSettled(jobs.map(({ id }) => createJobs(gallery).status(id)))
  const refused = answers.filter((answer) => answer.status === 'rejected')
  expect([refused.length, answers.length]).toEqual([3, jobs.length])
  for (const { reason } of refused)
    expect(reason).toMatchObject({
      code: 'data_corrupt',
      message: expect.stringContaining(page!) as string
    })
})
