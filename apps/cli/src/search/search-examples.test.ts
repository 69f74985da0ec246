import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { parseExamples, searchExamples } from './search-examples.ts'

const folder = temporaryFolder('examples')
const [a, b] = [join(folder, 'a.jpg'), join(folder, 'b.jpg')]
await writeFile(a, 'a')
await writeFile(b, 'b')
const none = { image: [], like: [], not: [] }

test('pictures of --like and --not are one search, and without them there is none', async () => {
  expect(await parseExamples({ ...none, image: [a] })).toBeUndefined()
  const examples = await parseExamples({ ...none, like: [a, b], not: [b], strategy: 'best' })
  expect(examples).toEqual({
    name: `${a}, ${b}, not ${b}`,
    positive: [Buffer.from('a'), Buffer.from('b')],
    negative: [Buffer.from('b')],
    strategy: 'best'
  })
})

test('options that do not go together, and files that are none, are refused', async () => {
  for (const [given, message] of [
    [{ not: [a] }, '--not and --strategy are for a search with --like'],
    [{ strategy: 'mean' }, 'for a search with --like'],
    [{ like: [a], image: [b] }, 'a search of its own'],
    [{ like: [a], dir: folder }, 'a search of its own'],
    [{ like: [a], sheet: 'x.html' }, 'a search of its own'],
    [{ like: [a], strategy: 'worst' }, '--strategy worst: one of mean, best'],
    [{ like: [join(folder, 'absent')] }, '--like '],
    [{ like: [a], not: [join(folder, 'absent')] }, '--not '],
    [{ like: Array(33).fill(a) }, 'at most 32']
  ] as const) {
    const parsed = parseExamples({ ...none, ...given })
    await expect(parsed).rejects.toThrow(message)
    await expect(parsed).rejects.toBeInstanceOf(UserError)
  }
})

test('the settings of the yaml go with the examples', async () => {
  const asked: unknown[] = []
  const api = {
    searchByExamples: async (...args: unknown[]) => {
      asked.push(...args)
      return {} as SearchAnswer
    }
  }
  await searchExamples(
    api,
    {
      collection: 'c',
      returnK: 3,
      scoreThres: 0.5,
      hammingRadius: undefined,
      searchBudget: undefined,
      detectorThreshold: 0.2,
      pictures: { query_views: [0.85] }
    },
    { positive: [Buffer.from('a')], negative: [], strategy: 'mean', fields: { camera: '1' } }
  )
  expect(asked).toMatchObject([
    'c',
    { positive: [Buffer.from('a')], negative: [] },
    {
      k: 3,
      score_thres: 0.5,
      query_views: [0.85],
      metadata: { camera: '1' },
      examples: { strategy: 'mean', positive: [], negative: [] }
    }
  ])
})
