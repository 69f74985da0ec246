// Timeline of the events: a line of JSON for each, in the folder that a failing run keeps.
import { appendFileSync } from 'node:fs'

export interface Timeline {
  readonly file: string
  note(what: string, details?: Record<string, unknown>): void
}

/** `say` also receives every line, for the terminal. */
export function createTimeline(file: string, say: (line: string) => void): Timeline {
  const startedMs = Date.now()
  return {
    file,
    note(what, details = {}) {
      const seconds = Number(((Date.now() - startedMs) / 1000).toFixed(2))
      appendFileSync(file, `${JSON.stringify({ seconds, what, ...details })}\n`)
      say(`${seconds.toFixed(1).padStart(7)} s  ${what.padEnd(24)} ${JSON.stringify(details)}`)
    }
  }
}
