#!/usr/bin/env node
// `likeness <command>`: brings the clone into a usable state where it is not, then runs the command line program.
import { prepareClone } from './setup/prepare-clone.mjs'
import { SetupError } from './setup/report.mjs'
import { runCli } from './run-cli.mjs'

try {
  prepareClone({ browser: false })
  process.exitCode = await runCli(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`likeness: ${error.message}\n`)
  process.exitCode = 1
}
