// Runs a command of the program. Help, the version and an unknown command are answered here, before
// any install or load. Missing npm packages are installed next; the rest when the command asks for
// them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandList } from './command-list.mjs'
import { runCli } from './run-cli.mjs'
import { checkNodeVersion } from './setup/node-version.mjs'
import { installNpmDependencies } from './setup/npm-dependencies.mjs'
import { prepareClone } from './setup/prepare-clone.mjs'
import { repositoryRoot } from './setup/report.mjs'

const wrongUsage = 2

export function usage() {
  const width = Math.max(...Object.keys(commandList).map((name) => name.length))
  const lines = Object.entries(commandList).map(
    ([name, does]) => `  ${name.padEnd(width)}  ${does}`
  )
  return [
    'likeness COMMAND [options]',
    ...lines,
    'likeness COMMAND --help shows the options of one, likeness --version the version.'
  ].join('\n')
}

function version() {
  return JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')).version
}

/** Returns the exit code where no program has to run; undefined for a command. */
export function answerAtOnce([name = 'help'], { stdout, stderr }) {
  if (['help', '--help', '-h'].includes(name)) stdout.write(`${usage()}\n`)
  else if (['--version', '-v'].includes(name)) stdout.write(`likeness ${version()}\n`)
  else if (Object.hasOwn(commandList, name)) return undefined
  else {
    stderr.write(`likeness: there is no command ${name}\n${usage()}\n`)
    return wrongUsage
  }
  return 0
}

/** Resolves with the exit code. Relative paths in `args` start at `folder`. Throws SetupError. */
export async function launch(args, { folder }) {
  checkNodeVersion(process.versions.node)
  const code = answerAtOnce(args, process)
  if (code !== undefined) return code
  installNpmDependencies()
  return runCli(args, { folder, prepare: () => prepareClone({ browser: false }) })
}
