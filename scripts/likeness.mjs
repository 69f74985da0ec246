// `likeness COMMAND`, started by bin/likeness.
import { launch } from './launch.mjs'
import { SetupError } from './setup/report.mjs'

try {
  process.exitCode = await launch(process.argv.slice(2), { folder: process.cwd() })
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  process.stderr.write(`likeness: ${error.message}\n`)
  process.exitCode = 1
}
