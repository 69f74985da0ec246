// Holds a stack of stand-ins until it is killed: argv is the data directory. Prints the pids of the
// children.
import { silentLogger } from '@likeness/shared/process/logger'
import { startStack } from '../start-stack.ts'

const entry = new URL('./stand-in-app.ts', import.meta.url).pathname
const stack = await startStack({
  dataDir: process.argv[2]!,
  entries: { api: entry, 'embed-worker': entry, 'index-worker': entry },
  logger: silentLogger()
})
process.stdout.write(`${JSON.stringify(stack.pids())}\n`)
