// How set-up talks: one line a step, on stderr, so that stdout stays the command's own.
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url))

/** Something the user has to do: printed as one line, exit 1. */
export class SetupError extends Error {}

export function say(text) {
  process.stderr.write(`likeness: ${text}\n`)
}

/** Says what is done, does it, says how long it took. */
export function timed(text, act) {
  say(`${text} ...`)
  const startedMs = Date.now()
  act()
  say(`${text}: done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`)
}
