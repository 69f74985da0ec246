import { afterEach, beforeEach, expect, test } from 'vitest'
import { embedding, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

const coco = ['person', 'bicycle', 'car', 'motorcycle', 'bus', 'truck', 'cat', 'cow']

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
})
afterEach(() => api.stop())

const worker = (version = embedding.version, classes?: string[]) => ({
  workerId: 'w',
  url: 'http://127.0.0.1:1',
  embedding: { ...embedding, version },
  provider: 'cpu',
  atMs: 0,
  ...(classes && { classes })
})
async function create(body: object): Promise<{ status: number; code?: string; detail?: string }> {
  const response = await api.post('/v1/collections', { name: 'marks', ...body })
  const answer = (await response.json()) as { code?: string; detail?: string }
  return { status: response.status, ...answer }
}

test.each(['classes', 'without_classes'])(
  '%s with a name that the model lacks are refused, with names near it',
  async (name) => {
    api.embedders.known = () => [worker(embedding.version, coco)]
    expect(await create({ settings: { [name]: ['person', 'Car'] } })).toMatchObject({
      status: 400,
      code: 'invalid_request',
      detail: `settings.${name}: the model test@1 has no class "Car"; near it: car, cat, cow`
    })
    expect(await create({ settings: { [name]: ['automobile'] } })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('its classes: person, bicycle, car') as string
    })
    expect(await api.deps.catalog.list({ fresh: true })).toEqual([])
    expect(await create({ settings: { [name]: ['person', 'car'] } })).toMatchObject({ status: 201 })
  }
)

test('classes that a built-in profile brings are not those of every model', async () => {
  api.embedders.known = () => [worker(embedding.version, ['item'])]
  expect(await create({ profile: 'vehicle' })).toMatchObject({ status: 201 })
})

test('any worker of the same model tells its classes; without one nothing is known', async () => {
  api.embedders.known = () => [
    worker('other@1/p@1', ['cars']),
    worker(),
    worker('test@1/learned@2', coco)
  ]
  expect(await create({ settings: { classes: ['cars'] } })).toMatchObject({ status: 400 })
  api.embedders.known = () => [worker('other@1/p@1', ['car']), worker()]
  expect(await create({ settings: { classes: ['cars'] } })).toMatchObject({ status: 201 })
})
