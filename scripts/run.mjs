// `node scripts/run.mjs demo|start|setup|test|test:all|test:unit [args]`: brings the machine and
// the clone into a usable state, then runs the command. Runs before any install: only node: modules
// here and in setup/.
import { prepareClone } from './setup/prepare-clone.mjs'
import { SetupError } from './setup/report.mjs'
import { launch } from './launch.mjs'
import { runTests } from './run-tests.mjs'
import { checkNodeVersion } from './setup/node-version.mjs'
import { installNpmDependencies } from './setup/npm-dependencies.mjs'
import { parts } from './tests/stages.mjs'

// npm changes the folder, and passes the user's folder in INIT_CWD.
const folder = process.env.INIT_CWD ?? process.cwd()
const commands = {
  demo: (args) => launch(['demo', ...args], { folder }),
  start: (args) => launch(['start', ...args], { folder }),
  setup: () => prepareClone({ browser: false }),
  test: (args) => test(undefined, args),
  ...Object.fromEntries(parts.map((part) => [`test:${part}`, (args) => test(part, args)]))
}

async function test(part, args) {
  checkNodeVersion(process.versions.node)
  if (part === 'static') installNpmDependencies()
  else await prepareClone({ browser: [undefined, 'all', 'browser'].includes(part) })
  return runTests(part, args)
}

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
  if (command === undefined)
    throw new SetupError(
      `usage: node scripts/run.mjs ${Object.keys(commands).join('|')} [arguments]`
    )
  return command(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`likeness: ${error.message}\n`)
  process.exitCode = 1
}
