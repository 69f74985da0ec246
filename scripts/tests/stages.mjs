// The stages of a run, and the command of each. A plan is a list of lanes: lanes run beside each
// other, the stages of a lane in sequence. The output of the first lane is shown at once, the
// output of the others when a stage ends.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand } from '../setup/npm-dependencies.mjs'
import { repositoryRoot } from '../setup/report.mjs'
import { findBrowser } from '../setup/system-packages.mjs'
import { shownBy } from './promises.mjs'

export const reportFolder = join(repositoryRoot, 'out/test')
export const vitestProjects = ['unit', 'contract', 'simulation', 'integration', 'browser']
/** Names of partial runs: `npm run test:unit`. */
export const parts = ['all', 'static', ...vitestProjects]
const bin = (name) => join(repositoryRoot, 'node_modules/.bin', name)

/**
 * Numbers of a run; a variable that is set already stays. The quick run tests the S3 store where a
 * server is available; the whole run gets a server.
 */
const quickNumbers = { SIMULATION_SEEDS: '200', TEST_ROUNDS: '100' }
const allNumbers = { SIMULATION_SEEDS: '1000', TEST_ROUNDS: '1000', S3_TESTS: 'required' }

// Results of the last type check stay in out/: a second run checks only the changed files.
const keptResults = ['--incremental', '--tsBuildInfoFile', 'out/tsc.tsbuildinfo']

/** Checks that run no code of ours: each a command, or the name of a script of package.json. */
const staticStages = () => [
  scriptStage('format check', 'format:check'),
  { name: 'type check', command: [bin('tsc'), '-p', 'tsconfig.json', ...keptResults] },
  { name: 'lint', command: [bin('eslint'), '.', '--max-warnings', '0'] },
  scriptStage('dead code', 'knip')
]

function scriptStage(name, script) {
  const { scripts } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'))
  const notRun = script in scripts ? undefined : `package.json has no script ${script}`
  return { name, notRun, command: [...npmCommand(), 'run', '--silent', script] }
}

function vitestStage(project, { args = [], only } = {}) {
  const report = join(reportFolder, `${project}.json`)
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const notRun =
    project === 'browser' && findBrowser() === undefined ? 'no chromium here, see above' : undefined
  return {
    name: project,
    notRun,
    report,
    only,
    command: [bin('vitest'), 'run', '--project', project, ...reporters, ...args]
  }
}

/** The integration tests that show the promises, by file and name. */
function promiseStage() {
  const shown = shownBy('integration')
  const names = shown.map(({ test }) => test)
  const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')
  const files = [...new Set(shown.map(({ file }) => file))]
  return vitestStage('integration', { args: [...files, '-t', pattern], only: names })
}

// Two lanes of about the same length, because the first aim is a machine with two cores.
const quickLanes = () => [
  [vitestStage('unit')],
  [
    ...staticStages(),
    ...['contract', 'simulation'].map((project) => vitestStage(project)),
    promiseStage(),
    vitestStage('browser')
  ]
]
const s3ServerStage = () => ({
  name: 'S3 server',
  command: [process.execPath, '--import', 'tsx', 'test/support/get-s3-server.ts']
})
const allLanes = () => [
  [s3ServerStage(), ...vitestProjects.map((project) => vitestStage(project))],
  staticStages()
]

/**
 * `part`: undefined for the quick run, `all`, `static` or a test group. With `args` for vitest,
 * only tests run.
 */
export function planOf(part, args) {
  const numbers = part === undefined ? quickNumbers : allNumbers
  if (part === 'static') return { numbers, lanes: [staticStages()] }
  if (vitestProjects.includes(part)) return { numbers, lanes: [[vitestStage(part, { args })]] }
  if (args.length === 0) return { numbers, lanes: part === 'all' ? allLanes() : quickLanes() }
  const filters = [...args, '--passWithNoTests']
  return {
    numbers,
    lanes: [vitestProjects.map((project) => vitestStage(project, { args: filters }))]
  }
}
