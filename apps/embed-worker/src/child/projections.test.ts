import { expect, test } from 'vitest'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { appError } from '@likeness/shared/errors'
import { createProjections } from './projections.ts'

const own = {
  embedding: { version: 'm@1/own@1', dim: 2, unit: true },
  profile: {
    name: 'own',
    version: 1,
    ...wholeProjection({
      dIn: 2,
      dOut: 2,
      matrix: Float32Array.of(1, 0, 0, 1),
      bias: Float32Array.of(0, 0)
    })
  }
}
const rawVectors = Float32Array.of(3, 4)
const embeddingOf = (name: string) => ({
  version: `m@1/${name}@0123456789abcdef`,
  dim: 2,
  unit: true
})

function create() {
  const reads: string[] = []
  let failing = false
  const { project } = createProjections({
    own,
    profiles: {
      ofEmbedding: async ({ version }) =>
        ({
          name: version.split('/')[1]!.split('@')[0]!,
          version: '0123456789abcdef',
          dim: 2,
          raw_dim: 2
        }) as StoredProfile,
      async readProjection({ name }) {
        reads.push(name)
        if (failing) throw appError('store_unavailable', 'away')
        // Rotated by 90 degrees.
        return wholeProjection({
          dIn: 2,
          dOut: 2,
          matrix: Float32Array.of(0, -1, 1, 0),
          bias: Float32Array.of(0, 0)
        })
      }
    }
  })
  return { project, reads, fail: (value: boolean) => (failing = value) }
}
const rounded = (vector: Float32Array): number[] =>
  [...vector].map((value) => Number(value.toFixed(4)))

test('each embedding is projected by its own profile, at the same time, and a profile is read once', async () => {
  const { project, reads } = create()
  const [plain, turned, again] = await Promise.all([
    project(rawVectors, own.embedding),
    project(rawVectors, embeddingOf('a')),
    project(rawVectors, embeddingOf('a'))
  ])
  expect([plain, turned, again].map((vector) => rounded(vector!))).toEqual([
    [0.6, 0.8],
    [-0.8, 0.6],
    [-0.8, 0.6]
  ])
  expect(reads).toEqual(['a'])
})

test('a profile that could not be read is read again, and the least used of many is let go', async () => {
  const { project, reads, fail } = create()
  fail(true)
  await expect(project(rawVectors, embeddingOf('a'))).rejects.toMatchObject({
    code: 'store_unavailable'
  })
  fail(false)
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'a', 'i', 'a', 'b']
  for (const name of names)
    expect(rounded(await project(rawVectors, embeddingOf(name)))).toEqual([-0.8, 0.6])
  expect(reads).toEqual(['a', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'b'])
})
