import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { limits } from '@likeness/shared/contract/limits'
import { limitsPage } from '../scripts/docs/limits.ts'

test('docs/limits.md is the table of the one module that holds the bounds', () => {
  const page = readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8')
  expect(page, 'run node --import tsx scripts/docs/write-limits.ts').toBe(limitsPage())
  expect(new Set(limits.map(({ name }) => name)).size).toBe(limits.length)
})
