// Messages of the set-up: a line a step, on stderr, so that stdout stays the command's own.
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))

/** A step that the user has to do: printed as a single line, exit 1. */
export class SetupError extends Error {}

export function say(text) {
  process.stderr.write(`likeness: ${text}\n`)
}

/** Reports a step, runs the step, and reports the time. */
export function timed(text, act) {
  say(`${text} ...`)
  const startedMs = Date.now()
  act()
  say(`${text}: done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`)
}
