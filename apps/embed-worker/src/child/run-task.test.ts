import { expect, test } from 'vitest'
import { enrolmentSchema } from '@likeness/shared/contract/picture-settings'
import { appError } from '@likeness/shared/errors'
import type { DecodedImage } from '@likeness/vision'
import type { ChildTask, Priority } from '../child-protocol.ts'
import { createRunTask, type RunTaskDeps } from './run-task.ts'

const embedding = { version: 'test@1/own@1', dim: 2, unit: true }
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Pictures of one byte: its value is their size, in parts of a hundred of the room. */
function createRig() {
  const waiting: (() => void)[] = []
  const seen = { held: 0, mostHeld: 0, opened: 0, decoded: 0, inferred: 0 }
  const infer = async (pictures: readonly DecodedImage[]): Promise<never> => {
    seen.inferred += 1
    await new Promise<void>((go) => waiting.push(go))
    seen.held -= pictures.reduce((sum, { width }) => sum + width, 0)
    return { kind: 'done' } as never
  }
  const deps: RunTaskDeps = {
    read: async (key) => Uint8Array.of(Number(key)),
    async open(bytes) {
      seen.opened += 1
      const [width = 0] = bytes
      if (width === 255) throw appError('image_corrupt', 'no picture')
      return {
        heldBytes: width,
        decode: async () => {
          seen.held += width
          seen.mostHeld = Math.max(seen.mostHeld, seen.held)
          await turn()
          seen.decoded += 1
          return { width, height: 1, rgb: new Uint8Array(0) }
        }
      }
    },
    thumbnail: (picture) => infer([picture]),
    pictures: {
      embedQuery: (picture) => infer([picture]),
      inferItem: (picture) => infer([picture]),
      finishItem: async (inferred) => inferred as never
    },
    compare: (query, item) => infer([query, item]),
    rank: () => Promise.reject(new Error('not here')),
    hooks: { beforeDecode: () => undefined, letPass: async () => undefined },
    decodedBytes: 100
  }
  const runTask = createRunTask(deps)
  const run = (task: ChildTask, priority: Priority = 'interactive', isCancelled = () => false) =>
    runTask(task, {
      priority,
      touch: () => undefined,
      checkCancelled: () => {
        if (isCancelled()) throw new Error('cancelled')
      }
    })
  /** Lets the inferences end one after the other, as the model runs them. */
  async function inferAll(running: readonly Promise<unknown>[]): Promise<void> {
    let isOver = false
    void Promise.allSettled(running).then(() => (isOver = true))
    while (!isOver) {
      for (let i = 0; i < 5; i++) await turn()
      waiting.shift()?.()
    }
  }
  return { seen, run, inferAll }
}

const query = (size: number): ChildTask => ({
  kind: 'query',
  embedding,
  bytes: Uint8Array.of(size)
})
const compare = (size: number, itemSize: number): ChildTask => ({
  kind: 'compare',
  embedding,
  bytes: Uint8Array.of(size),
  imageKey: String(itemSize)
})
const thumbnail = (size: number): ChildTask => ({
  kind: 'thumbnail',
  bytes: Uint8Array.of(size),
  longestSide: 64
})
const item = (size: number): ChildTask => ({
  kind: 'item',
  embedding,
  itemId: 'x',
  imageKey: String(size),
  enrolment: enrolmentSchema.parse({})
})

test('however many queries wait, no more pixels are decoded than there is room for', async () => {
  const { seen, run, inferAll } = createRig()
  const running = Array.from({ length: 64 }, () => run(query(50)))
  for (let i = 0; i < 20; i++) await turn()
  expect(seen).toMatchObject({ decoded: 2, inferred: 2, held: 100 })
  await inferAll(running)
  expect(await Promise.all(running)).toHaveLength(64)
  expect(seen).toEqual({ held: 0, mostHeld: 100, opened: 64, decoded: 64, inferred: 64 })
})

test('many small pictures may be ready at once', async () => {
  const { seen, run, inferAll } = createRig()
  const running = Array.from({ length: 64 }, () => run(query(1)))
  for (let i = 0; i < 100; i++) await turn()
  expect(seen.decoded).toBe(64)
  await inferAll(running)
})

test('both pictures of a comparison and those of thumbnails take room, and a huge one runs alone', async () => {
  const { seen, run, inferAll } = createRig()
  const running = [
    run(compare(30, 30)),
    run(query(45)),
    run(thumbnail(30)),
    run(compare(90, 90)),
    run(query(5)),
    run(compare(50, 60))
  ]
  await inferAll(running)
  expect(seen).toMatchObject({ held: 0, mostHeld: 180, inferred: 6 })
})

test('gallery pictures have room of their own', async () => {
  const { seen, run, inferAll } = createRig()
  const items = Array.from({ length: 9 }, () => run(item(60), 'bulk'))
  const one = run(query(60))
  for (let i = 0; i < 20; i++) await turn()
  expect(seen).toMatchObject({ decoded: 2, held: 120 })
  await inferAll([...items, one])
  expect(seen).toMatchObject({ held: 0, mostHeld: 120, decoded: 10 })
})

test('what fails or is cancelled gives its room back', async () => {
  const { seen, run, inferAll } = createRig()
  let isCancelled = false
  const first = run(query(100))
  const failing = Array.from({ length: 5 }, () => run(query(255)))
  const cancelled = Array.from({ length: 5 }, () =>
    run(query(100), 'interactive', () => isCancelled)
  )
  const last = run(query(100))
  isCancelled = true
  await inferAll([first, ...failing, ...cancelled, last])
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(
    Array(5).fill('rejected')
  )
  expect((await Promise.allSettled(cancelled)).map(({ status }) => status)).toEqual(
    Array(5).fill('rejected')
  )
  await Promise.all([first, last])
  expect(seen).toMatchObject({ held: 0, decoded: 2, inferred: 2 })
})
