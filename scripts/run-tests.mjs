// Runs all checks, and reports the duration of each stage. A failing stage fails the run but does
// not hide the later stages. The last line is plain: `N passed, N failed`, and `, N skipped` where
// tests were skipped.
import { mkdirSync, rmSync } from 'node:fs'
import { addCounts, noCounts, readVitestCounts, readVitestFailures } from './tests/counts.mjs'
import { commandEnvironment, runCommand } from './tests/run-command.mjs'
import { describeLeftovers, openRunFolder } from './tests/run-folder.mjs'
import { planOf, reportFolder } from './tests/stages.mjs'

/** True: files left in the temporary folder fail a run. New untracked files always fail a run. */
const leftoversFail = true
const stopSignals = { SIGINT: 130, SIGTERM: 143 }
const say = (text) => process.stdout.write(text)

/** Resolves with the exit code. `part` and `args` are those of planOf. */
export async function runTests(part, args) {
  rmSync(reportFolder, { recursive: true, force: true })
  mkdirSync(reportFolder, { recursive: true })
  const plan = planOf(part, args)
  const runFolder = openRunFolder()
  const stopped = new AbortController()
  for (const name of Object.keys(stopSignals)) process.once(name, () => stopped.abort(name))
  try {
    const env = commandEnvironment({ numbers: plan.numbers, temporaryFolder: runFolder.folder })
    const run = { env, signal: stopped.signal }
    const lanes = await Promise.all(
      plan.lanes.map((lane, at) => runLane(lane, { ...run, isQuiet: at > 0 }))
    )
    const code = report([...lanes.flat(), checkLeftovers(runFolder)])
    return stopSignals[stopped.signal.reason] ?? code
  } finally {
    runFolder.remove()
  }
}

async function runLane(stages, run) {
  const results = []
  for (const stage of stages) {
    if (run.signal.aborted) break
    results.push(stage.notRun === undefined ? await runStage(stage, run) : notRun(stage))
  }
  return results
}

const notRun = ({ name, notRun: why }) => ({
  line: `NOT RUN ${name}: ${why}`,
  counts: { ...noCounts, skipped: 1 }
})

async function runStage({ name, command, report: file, only }, { env, signal, isQuiet }) {
  say(`\n== ${name}${isQuiet ? ': runs beside the others, its output comes when it ends' : ''}\n`)
  const startedMs = Date.now()
  const show = (text) => say(isQuiet ? `\n== ${name}: output\n${text}` : text)
  const code = await runCommand(command, { env, signal, isQuiet, show })
  const seconds = (Date.now() - startedMs) / 1000
  const counts = file === undefined ? { ...noCounts } : readVitestCounts(file, only)
  // A stage can fail without a failing test: a type error, a file that does not load, an error
  // after the tests.
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  const isGood = counts.failed === 0
  say(`== ${name}: ${isGood ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s\n`)
  const failures = file === undefined ? [] : readVitestFailures(file)
  return { line: lineOf(isGood ? 'ok' : 'FAILED', name, seconds), counts, failures }
}

function lineOf(state, name, seconds) {
  const time = seconds === undefined ? '' : ` ${seconds.toFixed(1).padStart(7)} s`
  return `${state.padEnd(6)} ${name.padEnd(12)}${time}`
}

function checkLeftovers(runFolder) {
  const left = runFolder.leftovers()
  const isGood = left.untracked.length === 0 && !(leftoversFail && left.temporary.length > 0)
  const isClean = left.temporary.length + left.untracked.length === 0
  if (!isClean) say(`\n== leftovers\n${describeLeftovers(left).join('\n')}\n`)
  const count = isClean
    ? ''
    : `${left.temporary.length} temporary, ${left.untracked.length} untracked, see above`
  return {
    line: `${lineOf(isGood ? 'ok' : 'FAILED', 'leftovers')} ${count}`.trimEnd(),
    counts: { ...noCounts, failed: isGood ? 0 : 1 }
  }
}

function report(results) {
  const total = results.map(({ counts }) => counts).reduce(addCounts, noCounts)
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  const failures = results.flatMap((result) => result.failures ?? [])
  say(`\n${[...failures, ...results.map(({ line }) => line)].join('\n')}\n`)
  say(`${total.passed} passed, ${total.failed} failed${skipped}\n`)
  return total.failed > 0 ? 1 : 0
}
