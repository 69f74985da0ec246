import { expect, test } from 'vitest'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { ApiClient } from '../api/api-client.ts'
import { ApiProblem } from '../api/api-problem.ts'
import { JobFollower } from './follow-jobs.ts'

type Failed = JobAnswer['failed']

/** Jobs that make some progress each time they are read. */
function fakeJobs(
  jobs: Record<
    string,
    { total: number; failed?: Failed; state?: JobAnswer['state']; waiting?: JobAnswer['waiting'] }
  >,
  perAsk = 5
) {
  const asked: string[] = []
  const api = {
    getJob: async (
      id: string,
      { failedAfter = -1 }: { failedAfter?: number } = {}
    ): Promise<Partial<JobAnswer>> => {
      asked.push(id)
      const { total, failed = [], state, waiting = null } = jobs[id]!
      const settled = Math.min(total, perAsk * asked.filter((one) => one === id).length)
      const bad = settled === total ? failed.length : 0
      return {
        id,
        state: state ?? (settled === total ? 'completed' : 'running'),
        counts: {
          total,
          pending: total - settled,
          indexed: settled - bad,
          superseded: 0,
          failed: bad
        },
        waiting,
        failed: failed.filter(({ ordinal }) => ordinal > failedAfter).slice(0, 2),
        seq: settled === total ? total : null
      }
    }
  } as unknown as ApiClient
  return { api, asked }
}

const failedItem = (ordinal: number, line: number | null) => ({
  ordinal,
  id: `${ordinal}.jpg`,
  line,
  code: 'image_corrupt',
  message: 'broken'
})

test('jobs are followed to their end, with counts over all and every failed line, also those on later pages', async () => {
  const { api } = fakeJobs({
    a: { total: 12, failed: [failedItem(3, 40), failedItem(5, 60), failedItem(7, 80)] },
    b: { total: 6, failed: [failedItem(1, null)] }
  })
  const done: number[] = []
  let before = 0
  const follower = new JobFollower({
    api,
    onDone: (count, doneBefore) => void (done.push(count), (before = doneBefore)),
    onTrouble: () => undefined,
    onWaiting: () => undefined
  })
  follower.add({ jobs: [{ id: 'a', total: 12 }], failures: [] })
  follower.add({
    jobs: [{ id: 'b', total: 6, lines: Uint32Array.of(10, 20, 30, 40, 50, 70) }],
    failures: [{ line: 1, path: 'x', code: 'missing_label', message: '' }]
  })
  const noMore = new AbortController()
  noMore.abort()
  const followed = await follower.run(noMore.signal)
  expect(followed).toMatchObject({
    indexed: 14,
    failed: 5,
    superseded: 0,
    jobs: ['a', 'b'],
    seq: 12
  })
  expect(followed.failures.map(({ line, path }) => [line, path])).toEqual([
    [1, 'x'],
    [20, '1.jpg'],
    [40, '3.jpg'],
    [60, '5.jpg'],
    [80, '7.jpg']
  ])
  expect(done).toEqual([...done].sort((a, b) => a - b))
  expect(done.at(-1)).toBe(19)
  // 5 items of each job were done at the first read.
  expect(before).toBe(10)
})

test('of many jobs only a few are asked for at a time, and each gets its turn', async () => {
  const { api, asked } = fakeJobs(
    Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`j${i}`, { total: 5 }]))
  )
  const follower = new JobFollower({
    api,
    onDone: () => undefined,
    onTrouble: () => undefined,
    onWaiting: () => undefined
  })
  follower.add({
    jobs: Array.from({ length: 20 }, (_, i) => ({ id: `j${i}`, total: 5 })),
    failures: []
  })
  const noMore = new AbortController()
  noMore.abort()
  expect((await follower.run(noMore.signal)).indexed).toBe(100)
  expect(asked).toHaveLength(20)
})

test('a job that was cancelled ends the build with a message', async () => {
  const { api } = fakeJobs({ a: { total: 9, state: 'cancelled' } })
  const follower = new JobFollower({
    api,
    onDone: () => undefined,
    onTrouble: () => undefined,
    onWaiting: () => undefined
  })
  follower.add({ jobs: [{ id: 'a', total: 9 }], failures: [] })
  await expect(follower.run(new AbortController().signal)).rejects.toThrow('was cancelled')
})

test('an API that is away for a moment is asked again, and said so once', async () => {
  const { api } = fakeJobs({ a: { total: 5 } })
  let failures = 2
  const flaky = {
    getJob: async (id: string) => {
      if (failures-- > 0)
        throw new ApiProblem({
          type: '',
          title: '',
          status: 503,
          code: 'store_unavailable',
          detail: 'away'
        })
      return api.getJob(id)
    }
  } as ApiClient
  const troubles: unknown[] = []
  const follower = new JobFollower({
    api: flaky,
    onDone: () => undefined,
    onTrouble: (error) => troubles.push(error),
    onWaiting: () => undefined
  })
  follower.add({ jobs: [{ id: 'a', total: 5 }], failures: [] })
  const noMore = new AbortController()
  noMore.abort()
  expect((await follower.run(noMore.signal)).indexed).toBe(5)
  expect(troubles).toHaveLength(1)
})

test('why pictures wait is told once, whatever number of jobs wait for it', async () => {
  const waiting = {
    code: 'embedding_mismatch' as const,
    detail: 'nobody makes a@1',
    collection_embedding: 'a@1',
    embedder_embeddings: ['b@1']
  }
  const { api } = fakeJobs({
    a: { total: 12, waiting },
    b: { total: 12, waiting },
    c: { total: 5 }
  })
  const told: string[] = []
  const follower = new JobFollower({
    api,
    onDone: () => undefined,
    onTrouble: () => undefined,
    onWaiting: (why) => told.push(why)
  })
  for (const id of ['a', 'b', 'c']) follower.add({ jobs: [{ id, total: 12 }], failures: [] })
  const noMore = new AbortController()
  noMore.abort()
  expect((await follower.run(noMore.signal)).indexed).toBe(29)
  expect(told).toEqual(['nobody makes a@1'])
})
