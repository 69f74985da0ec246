// What every command of this program is given.
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import type { ProgressDeps } from './progress.ts'

export interface CommandContext extends ProgressDeps {
  /** Whatever is started is registered here; stopped before the program ends, however it ends. */
  lifecycle: Lifecycle
  logger: Logger
  /** To be awaited before engine, addon, model or stack are loaded: a fresh clone has none. */
  prepare: () => Promise<void>
  /** A line on stdout. */
  print: (text: string) => void
  /** A line on stderr: what goes on, not what was asked for. */
  say: (text: string) => void
}
/** Resolves with the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>
