// Finds the stack that runs, for commands that look at one and never start one.
import type { ApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { apiFromEnvironment } from '../config.ts'
import { findStack } from '../stack/stack-address.ts'
import { connect, stackDir } from './connect.ts'

/** Exit code of such a command when no stack runs. */
export const nothingRuns = 3

/** Returns undefined, after a line that says so, when no stack runs. */
export async function connectToRunning(
  context: CommandContext,
  values: { api?: string; data?: string }
): Promise<ApiClient | undefined> {
  const dataDir = stackDir(values.data)
  if (
    values.api !== undefined ||
    apiFromEnvironment().url !== undefined ||
    findStack(dataDir) !== undefined
  )
    return connect(context, values)
  context.print(`nothing runs over ${dataDir}: \`likeness up\` starts it`)
  return undefined
}
