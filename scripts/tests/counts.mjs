// Reads vitest's json report. A missing or unreadable report is a single failure, because no test
// is known to have passed.
import { existsSync, readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** Lines of a failure's message that are told at the end of a run. */
const toldLines = 4
export const noCounts = { passed: 0, failed: 0, skipped: 0 }

export const addCounts = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped
})

/**
 * `only`: names of the requested tests. Other tests were left out on purpose, and a missing test
 * counts as failed.
 */
export function readVitestCounts(file, only) {
  if (!existsSync(file)) return { ...noCounts, failed: 1 }
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'))
  const broken = testResults.filter(isBroken).length
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const asked = only === undefined ? tests : tests.filter(({ title }) => only.includes(title))
  const count = (...states) => asked.filter(({ status }) => states.includes(status)).length
  const missing = (only ?? []).filter((name) => !asked.some(({ title }) => title === name)).length
  return {
    passed: count('passed'),
    failed: count('failed') + broken + missing,
    skipped: count('pending', 'skipped', 'todo', 'disabled')
  }
}

/**
 * Lines of text about each failed test, and each file that did not load: the end of a run tells
 * them again, because often nothing but its end is kept.
 */
export function readVitestFailures(file) {
  if (!existsSync(file)) return []
  const { testResults } = JSON.parse(readFileSync(file, 'utf8'))
  return testResults.flatMap((result) => {
    if (isBroken(result)) return describe(result.name, 'did not load', result.message)
    const failed = result.assertionResults.filter(({ status }) => status === 'failed')
    return failed.flatMap(({ fullName, failureMessages }) =>
      describe(result.name, fullName, failureMessages.join('\n'))
    )
  })
}

function describe(file, name, message = '') {
  const lines = stripVTControlCharacters(message).trim().split('\n').slice(0, toldLines)
  return [`FAILED ${file}: ${name}`, ...lines.map((line) => `  ${line}`)]
}

/** Returns true for a file that did not load, or failed outside of its tests. */
function isBroken({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed')
}
