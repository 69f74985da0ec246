// The context that every command of this program gets.
import type { Lifecycle } from '@likeness/shared/process/lifecycle'
import type { Logger } from '@likeness/shared/process/logger'
import type { ProgressDeps } from './progress.ts'

export interface CommandContext extends ProgressDeps {
  /** Stops of the started parts. They run before the program ends, however it ends. */
  lifecycle: Lifecycle
  logger: Logger
  /** Await this before loading engine, addon, model or stack: a fresh clone lacks them. */
  prepare: () => Promise<void>
  /** Prints a line on stdout. */
  print: (text: string) => void
  /** Prints a line on stderr: progress, not the answer. */
  say: (text: string) => void
}
/** Resolves with the exit code. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<number>
