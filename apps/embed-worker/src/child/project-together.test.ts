import { expect, test } from 'vitest'
import { createProjectTogether } from './project-together.ts'
import type { Project } from './projections.ts'

const embeddingOf = (version: string) => ({ version, dim: 1, unit: true })
const [a, b] = [embeddingOf('a'), embeddingOf('b')]

/** Replaces the three raw numbers of a row by their sum. */
function create(options: { most?: number; withinMs?: number; fail?: boolean } = {}) {
  const calls: [string, number][] = []
  const project: Project = async (rawVectors, { version }) => {
    calls.push([version, rawVectors.length / 3])
    if (options.fail === true) throw new Error('no profile')
    return Float32Array.from(
      { length: rawVectors.length / 3 },
      (_, row) => rawVectors[3 * row]! + rawVectors[3 * row + 1]! + rawVectors[3 * row + 2]!
    )
  }
  return { calls, together: createProjectTogether({ project, ...options }) }
}
const rows = (...values: number[]) => Float32Array.from(values.flatMap((value) => [value, 1, 0]))

test('each gets the vectors of its own rows, of one call for all', async () => {
  const { together, calls } = create({ withinMs: 60_000 })
  const answers = await Promise.all([
    together(rows(1, 2), a),
    together(rows(), a),
    together(rows(3), a)
  ])
  expect(answers).toEqual([Float32Array.of(2, 3), new Float32Array(0), Float32Array.of(4)])
  expect(answers[0]!.buffer.byteLength).toBe(8)
  expect(calls).toEqual([['a', 3]])
})

test('rows are cut apart where they end, whatever the lengths of raw vectors and vectors', async () => {
  // 700 / 73 has no exact binary value. Five times 73 of this number is less than 3500.
  const project: Project = async (rawVectors) =>
    Float32Array.from({ length: (rawVectors.length / 73) * 700 }, (_, i) => i)
  const together = createProjectTogether({ project, withinMs: 60_000 })
  const [first, second, third] = await Promise.all(
    [5, 1, 1].map((count) => together(new Float32Array(73 * count), a))
  )
  expect([first!.length, second!.length, third!.length]).toEqual([3500, 700, 700])
  expect([second![0], third![0]]).toEqual([3500, 4200])
})

test('other embeddings are projected apart', async () => {
  const { together, calls } = create({ withinMs: 60_000 })
  expect(
    await Promise.all([together(rows(1), a), together(rows(2), b), together(rows(3), a)])
  ).toEqual([2, 3, 4].map((sum) => Float32Array.of(sum)))
  expect(calls).toEqual([
    ['a', 2],
    ['b', 1]
  ])
})

test('nobody waits for long for others', async () => {
  const { together, calls } = create({ withinMs: 5 })
  expect(await Promise.all([together(rows(1), a), together(rows(), a)])).toEqual([
    Float32Array.of(2),
    new Float32Array(0)
  ])
  expect(await together(rows(), a)).toEqual(new Float32Array(0))
  expect(calls).toEqual([
    ['a', 1],
    ['a', 0]
  ])
})

test('a failure is that of all who were in it', async () => {
  const { together } = create({ most: 2, withinMs: 60_000, fail: true })
  const settled = await Promise.allSettled([together(rows(1), a), together(rows(2), a)])
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
