import sharp from 'sharp'
import { expect, test } from 'vitest'
import { messageOf } from '@likeness/shared/errors'
import { choosePictures, readPictures, type SourcePicture } from './gallery-references.ts'

const picture = (n: number, label: string | null): SourcePicture => ({
  name: `p${n}`,
  label,
  read: async () => Buffer.from('')
})
const gallery = (count: number, labels: number): SourcePicture[] =>
  Array.from({ length: count }, (_, n) => picture(n, `label ${n % labels}`))
const countByLabel = (pictures: readonly SourcePicture[]): number[] => {
  const counts = new Map<string | null, number>()
  for (const { label } of pictures) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts.values()].sort((a, b) => a - b)
}

test('of large galleries some hundred pictures are taken, several of each label, the same every time', () => {
  const [first, again] = [
    choosePictures(gallery(20_000, 1_000)),
    choosePictures(gallery(20_000, 1_000))
  ]
  expect(first).toHaveLength(600)
  expect(countByLabel(first)).toEqual(Array(100).fill(6))
  expect(again.map(({ name }) => name)).toEqual(first.map(({ name }) => name))
})

test('with few labels the rest is filled up, small galleries are taken whole, pictures without a label are each their own', () => {
  expect(countByLabel(choosePictures(gallery(2_000, 20)))).toHaveLength(20)
  expect(choosePictures(gallery(2_000, 20))).toHaveLength(600)
  expect(choosePictures(gallery(150, 50))).toHaveLength(150)
  expect(choosePictures(Array.from({ length: 700 }, (_, n) => picture(n, null)))).toHaveLength(600)
  expect(() => choosePictures(gallery(119, 5))).toThrow(
    '119 pictures are too few to learn from: at least 120'
  )
})

test('a picture that cannot be read is left out, and too few that can is an error', async () => {
  const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const pictures = Array.from({ length: 121 }, (_, n) => ({
    ...picture(n, `l${n}`),
    read: async () => (n === 7 ? Buffer.from('\0\0\0\x18ftypheic', 'latin1') : png)
  }))
  const skipped: string[] = []
  const options = {
    onProgress: () => {},
    onSkipped: (name: string, reason: unknown) => void skipped.push(`${name}: ${messageOf(reason)}`)
  }
  expect((await readPictures(pictures, options)).map(({ label }) => label)).toEqual(
    pictures.filter((_, n) => n !== 7).map(({ label }) => label)
  )
  expect(skipped).toEqual([expect.stringMatching(/^p7: this is a HEIC.*convert it to JPEG/)])
  await expect(readPictures(pictures.slice(0, 120), options)).rejects.toThrow(
    '119 pictures could be read, at least 120 are needed'
  )
})
