import { expect, test } from 'vitest'
import { brandOf, chooseBrandMarks, listedMarks, markSvg } from './brand-marks.ts'

test('variants of a mark belong to one brand, and its icon stands for it', () => {
  expect(
    ['redis', 'redis-icon', 'codex-dark', 'kimi-icon-dark', 'css-3-official'].map(brandOf)
  ).toEqual(['redis', 'redis', 'codex', 'kimi', 'css'])
  expect(
    chooseBrandMarks(['redis', 'redis-icon', 'codex-dark', 'codex', 'npm-2', 'aws-s3'])
  ).toEqual(['aws-s3', 'codex', 'npm-2', 'redis-icon'])
})

test('a name that is a number or a single variant word stays a brand', () => {
  expect(['6px', '100tb', 'dark', 'icon'].map(brandOf)).toEqual(['6px', '100tb', 'dark', 'icon'])
})

test('the set holds more than 1000 brands, each with a drawing of the wished size', () => {
  const names = chooseBrandMarks(listedMarks())
  expect(names.length).toBeGreaterThan(1200)
  expect(new Set(names.map(brandOf)).size).toBe(names.length)
  for (const name of names.slice(0, 50)) {
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(markSvg(name, 224))!
    expect(Math.max(Number(width), Number(height))).toBeCloseTo(224, 1)
  }
})
