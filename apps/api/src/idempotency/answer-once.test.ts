import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { systemClock } from '@likeness/shared/process/clock'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
let skewMs = 0
beforeEach(async () => {
  skewMs = 0
  api = await startTestApi({ clock: { ...systemClock, nowMs: () => Date.now() + skewMs } })
  collectionId = await api.createMarks()
})
afterEach(async () => {
  await Promise.all(asleep.splice(0).map((wake) => wake()))
  await api.stop()
})

const headers = { 'idempotency-key': 'key 1' }
const upload = (text = 'one', label = 'nike') => {
  const form = new FormData()
  form.append('label', label)
  form.append('images', new Blob([text]))
  return api.fetch('/v1/collections/marks/images', { method: 'POST', body: form, headers })
}
const images = () => api.keys(collectionKeys(collectionId).imagePrefix)

test('the same key again gives the first answer and does nothing', async () => {
  const first = await upload()
  const again = await upload()
  expect([first.status, first.headers.get('idempotent-replay')]).toEqual([202, null])
  expect([again.status, again.headers.get('idempotent-replay')]).toEqual([202, 'true'])
  expect(await again.json()).toEqual(await first.json())
  expect(await api.operations(collectionId)).toHaveLength(1)
  expect(await images()).toHaveLength(1)
})

test('the same key with other bytes or fields is idempotency_mismatch and leaves nothing', async () => {
  await upload()
  expect(await codeOf(await upload('two'))).toBe('422 idempotency_mismatch')
  expect(await codeOf(await upload('one', 'adidas'))).toBe('422 idempotency_mismatch')
  expect(await images()).toHaveLength(1)
})

test('the same key on another route or collection is another request', async () => {
  await api.post('/v1/collections', { name: 'cars' }, headers)
  const deleted = await api.fetch('/v1/collections/marks/items/x', { method: 'DELETE', headers })
  expect(deleted.headers.has('idempotent-replay')).toBe(false)
  expect((await upload()).headers.has('idempotent-replay')).toBe(false)
})

test('of many at once one acts; the others hear of it or wait', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => upload()))
  const codes = await Promise.all(answers.map(codeOf))
  expect(codes.filter((code) => code !== '202' && code !== '409 idempotency_in_progress')).toEqual(
    []
  )
  expect(codes).toContain('202')
  expect(await api.operations(collectionId)).toHaveLength(1)
  expect(await images()).toHaveLength(1)
})

/** Replaces the process by `the next process`. `isGone` is the answer about every other process. */
const others = (isGone: boolean | undefined): void =>
  void (api.deps.holders = {
    ...api.deps.holders,
    id: 'the next process',
    isGone: async () => isGone
  })

/** Calls that continue the requests that were stopped inside their act. */
const asleep: (() => Promise<unknown>)[] = []

/**
 * Stops the process of a request inside its act, before or after the effect. Returns a function
 * that lets the request continue.
 */
async function stopInside(act: boolean): Promise<() => Promise<Response>> {
  const { append } = api.deps.logAppender
  let goOn = (): void => undefined
  const stopped = new Promise<void>((reached) => {
    api.deps.logAppender.append = async (...args) => {
      if (act) await append(...args)
      const woken = new Promise<void>((resolve) => (goOn = resolve))
      reached()
      await woken
      return await append(...args)
    }
  })
  const answer = upload()
  asleep.push(async () => {
    goOn()
    await answer
  })
  await stopped
  api.deps.logAppender.append = append
  return async () => {
    goOn()
    return await answer
  }
}

async function expectOnce(finished: Response): Promise<unknown> {
  expect(finished.status).toBe(202)
  const answer = (await finished.json()) as { job: string; items: unknown[] }
  expect(answer.items).toHaveLength(1)
  expect(await api.operations(collectionId)).toMatchObject([
    { kind: 'ingest', ingestion: await api.ingestionOf(answer.job) }
  ])
  const [line] = await api.itemList(collectionId, answer.job)
  expect(await images()).toEqual([line!.imageKey])
  expect((await api.fetch(`/v1/jobs/${answer.job}`)).status).toBe(200)
  expect(await (await upload()).json()).toEqual(answer)
  return answer
}

const when = [
  ['after', true],
  ['before', false]
] as const

test('a process that died before the act: in progress while it may live, then the first retry finishes it, once', async () => {
  await stopInside(false)
  others(false)
  const waiting = await upload()
  expect(Number(waiting.headers.get('retry-after'))).toBeLessThanOrEqual(5)
  expect(await codeOf(waiting)).toBe('409 idempotency_in_progress')
  expect(await codeOf(await upload('two'))).toBe('422 idempotency_mismatch')
  others(true)
  await expectOnce(await upload())
})

test.each([true, false, undefined])(
  'a process that died after the act and before the answer, or waits there: the first retry has the answer (%s)',
  async (isGone) => {
    await stopInside(true)
    others(isGone)
    expect(await codeOf(await upload('two'))).toBe('422 idempotency_mismatch')
    await expectOnce(await upload())
  }
)

test.each(when)(
  'a process that was taken for dead %s the act and goes on has no second effect, and the same answer',
  async (_when, acted) => {
    const goOn = await stopInside(acted)
    others(true)
    const answer = await expectOnce(await upload())
    expect(await (await goOn()).json()).toEqual(answer)
    expect(await api.operations(collectionId)).toHaveLength(1)
    expect(await (await upload()).json()).toEqual(answer)
  }
)

test('of many retries after a death one takes over', async () => {
  await stopInside(false)
  others(true)
  const codes = await Promise.all(Array.from({ length: 8 }, async () => codeOf(await upload())))
  expect(codes.filter((code) => code !== '202' && code !== '409 idempotency_in_progress')).toEqual(
    []
  )
  expect(codes).toContain('202')
  expect(await api.operations(collectionId)).toHaveLength(1)
})

test('where nobody can tell which processes live, a reservation ends after its time', async () => {
  await stopInside(false)
  others(undefined)
  expect(await codeOf(await upload())).toBe('409 idempotency_in_progress')
  skewMs = 29_000
  expect(await codeOf(await upload())).toBe('409 idempotency_in_progress')
  skewMs = 31_000
  await expectOnce(await upload())
})

test.each(when)(
  'a request that failed %s its act with an unknown outcome: the next one finishes it at once',
  async (_when, acted) => {
    others(false)
    const { append } = api.deps.logAppender
    api.deps.logAppender.append = async (...args) => {
      if (acted) await append(...args)
      throw appError('store_unavailable', 'no answer')
    }
    expect(await codeOf(await upload())).toBe('503 store_unavailable')
    api.deps.logAppender.append = append
    await expectOnce(await upload())
  }
)

test('a delete that failed after its act is not done a second time', async () => {
  const remove = () => api.fetch('/v1/collections/marks/items/x', { method: 'DELETE', headers })
  const { acquire } = api.replica
  api.replica.acquire = async () => Promise.reject(new Error('no answer'))
  expect(await codeOf(await remove())).toBe('500 internal')
  api.replica.acquire = acquire
  expect(await (await remove()).json()).toEqual({ id: 'x', deleted: true, revision: 1024, seq: 1 })
  expect(await api.operations(collectionId)).toHaveLength(1)
})

test('a drop that failed after its act does not drop the next collection of that name', async () => {
  const drop = () => api.fetch('/v1/collections/marks', { method: 'DELETE', headers })
  const original = api.deps.catalog.drop
  api.deps.catalog.drop = async (...args) => {
    await original(...args)
    throw appError('store_unavailable', 'no answer')
  }
  expect(await codeOf(await drop())).toBe('503 store_unavailable')
  api.deps.catalog.drop = original
  const next = await api.createMarks()
  expect(await (await drop()).json()).toEqual({
    name: 'marks',
    incarnation: collectionId,
    dropped: true
  })
  expect(await api.deps.catalog.isLive(next)).toBe(true)
})

test('a creation that failed after its act answers with what it made', async () => {
  const create = (metric: string) => api.post('/v1/collections', { name: 'cars', metric }, headers)
  const original = api.deps.catalog.create
  api.deps.catalog.create = async (spec) => {
    await original(spec)
    throw appError('store_unavailable', 'no answer')
  }
  expect(await codeOf(await create('L2'))).toBe('503 store_unavailable')
  api.deps.catalog.create = original
  const made = await create('L2')
  expect(made.status).toBe(201)
  expect(await made.json()).toMatchObject({
    incarnation: (await api.deps.catalog.resolve('cars')).collectionId
  })
})

test('an answer is still known at the end of its retention, across weeks, and forgotten long after', async () => {
  const first = await (await upload()).json()
  for (const days of [1, 3, 5, 7]) {
    skewMs = days * 86_400_000
    expect(await (await upload()).json()).toEqual(first)
  }
  skewMs = 15 * 86_400_000
  expect((await upload()).headers.has('idempotent-replay')).toBe(false)
})

test('a refused request frees its key', async () => {
  await api.deps.catalog.drop('marks')
  const { append } = api.deps.logAppender
  collectionId = await api.createMarks()
  api.deps.logAppender.append = async () => {
    throw appError('collection_not_found', 'dropped meanwhile')
  }
  for (let i = 0; i < 2; i++) expect(await codeOf(await upload())).toBe('404 collection_not_found')
  api.deps.logAppender.append = append
  expect((await upload()).status).toBe(202)
  expect((await upload()).headers.get('idempotent-replay')).toBe('true')
})

test('a key that is empty, long or not printable is invalid_request', async () => {
  const create = (key: string) =>
    api.post('/v1/collections', { name: 'cars' }, { 'idempotency-key': key })
  expect(await codeOf(await create('x'.repeat(201)))).toBe('400 invalid_request')
  expect(await codeOf(await create('\u00e9'))).toBe('400 invalid_request')
  expect(await codeOf(await create(''))).toBe('400 invalid_request')
  expect((await create('x'.repeat(200))).status).toBe(201)
})
