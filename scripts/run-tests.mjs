// All checks, one stage after the other, each with its duration. A failing stage fails the run but does not hide the later ones.
// The last line is plain: `N passed, N failed`, and `, N skipped` where tests were skipped.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { repositoryRoot } from './setup/report.mjs'
import { findBrowser } from './setup/system-packages.mjs'
import { addCounts, readVitestCounts } from './test-counts.mjs'

const bin = (name) => join(repositoryRoot, 'node_modules/.bin', name)
const reports = join(repositoryRoot, 'out/test')
export const vitestProjects = ['unit', 'contract', 'simulation', 'integration', 'browser']

const staticStages = () => [
  { name: 'type check', command: [bin('tsc'), '-p', 'tsconfig.json'] },
  { name: 'lint', command: [bin('eslint'), '.', '--max-warnings', '0'] }
]
const vitestStages = (args) =>
  vitestProjects.map((project) => {
    const report = join(reports, `${project}.json`)
    const command = [bin('vitest'), 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args]
    return { name: project, command, report }
  })

/** With arguments (file filters, vitest options) only the test stages run, with these. */
export async function runTests(args) {
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports, { recursive: true })
  const stages = args.length === 0 ? [...staticStages(), ...vitestStages([])] : vitestStages([...args, '--passWithNoTests'])
  let total = { passed: 0, failed: 0, skipped: 0 }
  const lines = []
  for (const stage of stages) {
    if (stage.name === 'browser' && findBrowser() === undefined) {
      total.skipped++
      lines.push('NOT RUN browser: no chromium here, see above')
      continue
    }
    const result = await runStage(stage)
    total = addCounts(total, result.counts)
    lines.push(`${result.isGood ? 'ok    ' : 'FAILED'} ${stage.name.padEnd(12)} ${result.seconds.toFixed(1).padStart(7)} s`)
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`\n${lines.join('\n')}\n${total.passed} passed, ${total.failed} failed${skipped}`)
  return total.failed > 0 ? 1 : 0
}

async function runStage({ name, command, report }) {
  console.log(`\n== ${name}`)
  const startedMs = Date.now()
  const code = await runCommand(command)
  const seconds = (Date.now() - startedMs) / 1000
  const counts = report === undefined ? { passed: 0, failed: 0, skipped: 0 } : readVitestCounts(report)
  // A stage can fail without a failing test: a type error, a file that does not load, an error after the tests.
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  const isGood = counts.failed === 0
  console.log(`== ${name}: ${isGood ? 'ok' : 'FAILED'} in ${seconds.toFixed(1)} s`)
  return { isGood, seconds, counts }
}

function runCommand([file, ...args]) {
  // What npm put into the environment is this run's business, not that of the programs the tests start.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')))
  const browser = findBrowser()
  if (browser !== undefined) env.CHROMIUM_PATH = browser
  const child = spawn(file, args, { cwd: repositoryRoot, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const stop = () => child.kill('SIGTERM')
  process.once('SIGTERM', stop)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      process.removeListener('SIGTERM', stop)
      resolve(code ?? 1)
    })
  })
}
