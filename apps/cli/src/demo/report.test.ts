import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import { escapeHtml } from '@likeness/shared/data/escape-html'
import { median } from '../median.ts'
import { repositoryRoot } from '../stack/app-process.ts'
import { renderSheetHtml } from './contact-sheet-html.ts'
import { recallFloors } from './recall-floors.ts'
import { formatJson, formatRecall, formatTable } from './report.ts'
import { type QueryResult, runQueries, summarise } from './run-queries.ts'

const hit = (label: string, score: number) => ({ id: label, label, score }) as HitAnswer
const result = (name: string, label: string | undefined, labels: string[]): QueryResult => {
  const place = label === undefined ? -1 : labels.indexOf(label)
  return {
    name,
    image: new Uint8Array(),
    label,
    hits: labels.map((one, at) => hit(one, 0.9 - at / 10)),
    ms: 10,
    rank: place < 0 ? undefined : place + 1
  }
}
const results = [
  result('001 plate', 'a', ['a', 'b']),
  result('002 pasted', 'b', ['a', 'b']),
  result('003 plate', 'c', ['a', 'b']),
  result('004 plate', 'd', [])
]

test('recall counts the first and the first five hits', () => {
  expect(summarise(results)).toEqual({
    queries: 4,
    recallAt1: 0.25,
    recallAt5: 0.5,
    searchP50Ms: 10
  })
  expect(summarise([result('x', undefined, ['a'])])).toMatchObject({
    queries: 1,
    recallAt1: null,
    recallAt5: null
  })
  expect(median([5, 1, 9])).toBe(5)
  expect(median([1, 2, 3, 10])).toBe(2.5)
  expect(median([])).toBeNull()
})

test('a hit is right by its label, wherever it stands', async () => {
  const api = { search: async () => ({ hits: [hit('x', 0.9), hit('a', 0.8)] }) } as never
  const [found] = await runQueries({
    api,
    collection: 'c',
    queries: [{ name: 'q', image: new Uint8Array(), label: 'a' }],
    onDone: () => undefined
  })
  expect(found).toMatchObject({ rank: 2 })
})

test('the table says what was shown, what was found, and whether that is right', () => {
  const lines = formatTable(results).split('\n')
  expect(lines).toHaveLength(6)
  expect(lines[2]).toMatch(/001 plate +a +a +0\.900 +right +10/)
  expect(lines[3]).toMatch(/002 pasted +b +a +0\.900 +wrong/)
  expect(lines[5]).toMatch(/\(unknown\) +- +wrong/)
  expect(formatRecall(results, ({ name }) => name.split(' ')[1]!).split('\n')).toEqual([
    'pasted     R@1 0.000  R@5 1.000  (1 queries)',
    'plate      R@1 0.333  R@5 0.333  (3 queries)',
    'all        R@1 0.250  R@5 0.500  (4 queries)'
  ])
})

test('the json line has exactly the promised keys', () => {
  const line = formatJson({
    imported: 1000,
    failed: 1,
    imagesPerSecond: 31.23456,
    queries: 150,
    recallAt1: 2 / 3,
    recallAt5: null,
    searchP50Ms: 61.26
  })
  expect(line).toBe(
    '{"imported":1000,"failed":1,"imagesPerSecond":31.23,"queries":150,"recallAt1":0.6667,"recallAt5":null,"searchP50Ms":61.3}'
  )
})

test('labels cannot become markup on the contact sheet', () => {
  const html = renderSheetHtml({
    title: '<t>',
    rows: [
      {
        name: 'n',
        label: '<script>x</script>',
        ms: 1,
        query: new Uint8Array(),
        hits: [{ label: '"><img>', score: 1, image: new Uint8Array(), isRight: true }]
      }
    ]
  })
  expect(html).not.toMatch(/<script>|"><img>|<t>/)
  expect(escapeHtml(`<&>"'`)).toBe('&#60;&#38;&#62;&#34;&#39;')
})

test('the floors are those that the README of the model states', () => {
  const readme = readFileSync(`${repositoryRoot}models/likeness-nano/README.md`, 'utf8')
  const [, at1, at5] = /R@1 (\.\d+), R@5 (\.\d+)\*\*/.exec(readme)!
  expect(recallFloors).toEqual({ at1: Number(at1), at5: Number(at5) })
})
