// `node scripts/run.mjs demo|start|test [args]`: brings the machine and the clone into a usable state, then runs the command.
// Runs before anything is installed: only node: modules here and in setup/.
import { prepareClone } from './setup/prepare-clone.mjs'
import { SetupError } from './setup/report.mjs'
import { runCli } from './run-cli.mjs'
import { runTests } from './run-tests.mjs'

const commands = {
  demo: { browser: false, run: (args) => runCli(['demo', ...args]) },
  start: { browser: false, run: (args) => runCli(['start', ...args]) },
  test: { browser: true, run: runTests }
}

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
  if (command === undefined) throw new SetupError(`usage: node scripts/run.mjs ${Object.keys(commands).join('|')} [arguments]`)
  prepareClone({ browser: command.browser })
  return command.run(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`likeness: ${error.message}\n`)
  process.exitCode = 1
}
