import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkNodeVersion } from '../setup/node-version.mjs'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { addCounts, readVitestCounts, readVitestFailures } from './counts.mjs'

function report(...testResults) {
  const file = join(temporaryFolder('report'), 'report.json')
  writeFileSync(file, JSON.stringify({ testResults }))
  return file
}
const file = (status, tests) => ({
  status,
  assertionResults: Object.entries(tests).map(([title, state]) => ({ title, status: state }))
})

test('tests are counted, and a file that did not load is a failure', () => {
  const first = file('failed', { a: 'failed', b: 'passed', c: 'skipped', d: 'todo' })
  const counts = readVitestCounts(
    report(first, file('failed', {}), file('passed', { e: 'passed' }))
  )
  expect(counts).toEqual({ passed: 2, failed: 2, skipped: 2 })
  expect(addCounts(counts, { passed: 1, failed: 0, skipped: 0 })).toEqual({
    passed: 3,
    failed: 2,
    skipped: 2
  })
})

test('tests are asked for by name: no other is counted, a missing one is a failure', () => {
  const written = report(file('passed', { a: 'passed', b: 'skipped', c: 'skipped' }))
  expect(readVitestCounts(written, ['a', 'b'])).toEqual({ passed: 1, failed: 0, skipped: 1 })
  expect(readVitestCounts(written, ['a', 'nowhere'])).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('failures are told with their file, their name and the start of their message', () => {
  const failed = {
    name: '/a.test.ts',
    status: 'failed',
    assertionResults: [
      {
        fullName: 'group name',
        status: 'failed',
        failureMessages: ['\u001b[31m1\u001b[39m\n2\n3\n4\n5']
      },
      { fullName: 'good', status: 'passed', failureMessages: [] }
    ]
  }
  const broken = {
    name: '/b.test.ts',
    status: 'failed',
    message: 'no such module',
    assertionResults: []
  }
  expect(readVitestFailures(report(failed, broken))).toEqual([
    'FAILED /a.test.ts: group name',
    ...['  1', '  2', '  3', '  4'],
    'FAILED /b.test.ts: did not load',
    '  no such module'
  ])
  expect(readVitestFailures('/not/here.json')).toEqual([])
})

test('a report that was never written is a failure', () => {
  expect(readVitestCounts('/not/here.json')).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('Node older than 20.9 is refused', () => {
  for (const version of ['18.20.0', '20.8.1'])
    expect(() => checkNodeVersion(version)).toThrow(/too old/)
  for (const version of ['20.9.0', '20.20.2', '22.0.0', '24.1.0'])
    expect(() => checkNodeVersion(version)).not.toThrow()
})
