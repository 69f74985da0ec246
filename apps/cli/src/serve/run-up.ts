// `likeness up` and `likeness down`: start and stop this machine's stack in the background.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connectOptions, connectUsage, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { findStackSoon, stackDir } from '../connect/connect.ts'
import { findOwner, ownerOfDataDir } from '../stack/data-dir-lock.ts'
import { findStack, type StackAddress } from '../stack/stack-address.ts'
import { keepStack } from '../stack/stack-users.ts'
import { UserError } from '../user-error.ts'
import { launchServe } from '../stack/launch-serve.ts'
import { parseServe, serveOptions, serveOptionsUsage } from './run-serve.ts'

const upUsage = `likeness up [options]      starts this machine's stack in the background\n${serveOptionsUsage}`
const downUsage = `likeness down [options]      stops it\n${connectUsage}`
const stopDeadlineMs = 70_000
const pollMs = 100

/** Exit code 0 when the stack runs, also when it ran already. */
export async function runUp(args: readonly string[], context: CommandContext): Promise<number> {
  const { prepare, print, say } = context
  const sayUp = ({ apiUrl, pid }: StackAddress): number => {
    print(`Likeness is up already at ${apiUrl} (process ${pid})`)
    return 0
  }
  const dataDir = stackDir(
    parseCommand(args, { options: serveOptions, usage: upUsage }).values.data
  )
  const running = await findStackToKeep(dataDir)
  if (running !== undefined) return sayUp(running)
  const { port, importRoots, modelDir } = await parseServe(args, upUsage)
  await prepare()
  say(`starting redis, index-worker, embed-worker and api; logs are in ${join(dataDir, 'logs')}`)
  const address = await launchServe({ dataDir, port, importRoots, modelDir })
  if (address.whileUsed === true) {
    // A command was faster. Its stack stays if that is still possible.
    const kept = await findStackToKeep(dataDir)
    return kept === undefined ? await runUp(args, context) : sayUp(kept)
  }
  print(`Likeness is at ${address.apiUrl} (process ${address.pid}); \`likeness down\` stops it`)
  return 0
}

/** The running stack. From now on it stays also when a command started it and ends. */
async function findStackToKeep(dataDir: string): Promise<StackAddress | undefined> {
  for (;;) {
    const running = await findStackSoon(dataDir)
    const owner = findOwner(dataDir)
    if (running === undefined) return undefined
    if (owner?.pid !== running.pid) continue
    keepStack(dataDir, owner)
    if (findStack(dataDir)?.pid === owner.pid) return running
  }
}

/** Exit code 0 when the stack is down, also when it was down already. */
export async function runDown(
  args: readonly string[],
  { print, say }: CommandContext
): Promise<number> {
  const { values } = parseCommand(args, { options: connectOptions, usage: downUsage })
  const dataDir = stackDir(values.data)
  const pid = ownerOfDataDir(dataDir)
  if (pid === undefined) {
    print(`nothing runs over ${dataDir}`)
    return 0
  }
  say(`stopping process ${pid}`)
  process.kill(pid, 'SIGTERM')
  const endMs = Date.now() + stopDeadlineMs
  while (ownerOfDataDir(dataDir) === pid) {
    if (Date.now() > endMs)
      throw new UserError(`process ${pid} did not stop within ${stopDeadlineMs / 1000} s`)
    await pause(pollMs)
  }
  print('stopped')
  return 0
}
