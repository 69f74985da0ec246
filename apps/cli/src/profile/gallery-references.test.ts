import { expect, test } from 'vitest'
import sharp from 'sharp'
import { planReferences, readGroups } from './gallery-references.ts'
import type { SourcePicture } from './gallery-references.ts'

const picture = (n: number, label: string | null): SourcePicture => ({ name: `p${n}`, label, read: async () => Buffer.from('') })
const gallery = (count: number, labels: number): SourcePicture[] => Array.from({ length: count }, (_, n) => picture(n, `label ${n % labels}`))

test('labels are the things where there are enough of them, else each picture is one, and both can be asked for', () => {
  const plans = [planReferences(gallery(300, 150), undefined), planReferences(gallery(300, 20), undefined), planReferences(gallery(300, 150), 'views')]
  expect(plans.map(({ by, groups }) => [by, groups.length, groups[0]!.length])).toEqual([['labels', 150, 2], ['views', 300, 1], ['views', 300, 1]])
  expect(() => planReferences(gallery(300, 20), 'labels')).toThrow('20 labels are too few to learn from: at least 120')
  expect(() => planReferences(gallery(100, 100), undefined)).toThrow('100 pictures are too few')
  expect(() => planReferences(Array.from({ length: 300 }, (_, n) => picture(n, null)), 'labels')).toThrow('0 labels')
})

test('of large galleries some hundred things with a few pictures each are taken, the same every time', () => {
  const [first, again] = [planReferences(gallery(20_000, 1_000), 'labels'), planReferences(gallery(20_000, 1_000), 'labels')]
  expect([first.groups.length, first.groups[0]!.length]).toEqual([600, 6])
  expect(again.groups.map((group) => group.map(({ name }) => name))).toEqual(first.groups.map((group) => group.map(({ name }) => name)))
})

test('a picture that cannot be read is left out, and too few that can is an error', async () => {
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } }).png().toBuffer()
  const groups = Array.from({ length: 121 }, (_, n) => [{ ...picture(n, null), read: async () => (n === 7 ? Buffer.from('not a picture') : png) }])
  const skipped: string[] = []
  const options = { onProgress: () => {}, onSkipped: (name: string) => void skipped.push(name) }
  expect(await readGroups(groups, options)).toHaveLength(120)
  expect(skipped).toEqual(['p7'])
  await expect(readGroups(groups.slice(0, 120), options)).rejects.toThrow('pictures of 119 things could be read')
})
