import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkNodeVersion } from './setup/node-version.mjs'
import { addCounts, readVitestCounts } from './test-counts.mjs'

const report = (content) => {
  const file = join(mkdtempSync(join(tmpdir(), 'likeness-report-')), 'report.json')
  writeFileSync(file, JSON.stringify(content))
  return file
}

test('tests are counted, and a file that did not load is a failure', () => {
  const counts = readVitestCounts(
    report({
      numPassedTests: 7,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      testResults: [
        { status: 'failed', assertionResults: [{ status: 'failed' }] },
        { status: 'failed', assertionResults: [] },
        { status: 'passed', assertionResults: [{ status: 'passed' }] }
      ]
    })
  )
  expect(counts).toEqual({ passed: 7, failed: 2, skipped: 3 })
  expect(addCounts(counts, { passed: 1, failed: 0, skipped: 0 })).toEqual({ passed: 8, failed: 2, skipped: 3 })
})

test('a report that was never written is a failure', () => {
  expect(readVitestCounts('/not/here.json')).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('Node older than 20.9 is refused', () => {
  for (const version of ['18.20.0', '20.8.1']) expect(() => checkNodeVersion(version)).toThrow(/too old/)
  for (const version of ['20.9.0', '20.20.2', '22.0.0', '24.1.0']) expect(() => checkNodeVersion(version)).not.toThrow()
})
