// Points in writers and merges that a blow waits for. A file arms a point. A process that reaches
// the point writes its name, then sends the signal to itself.
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type PinnedPoint, reachedName } from '../../apps/index-worker/src/test-hooks.ts'

/** Process that reached a point, the time, and the key that was read or written. */
export interface Met {
  pid: number
  atMs: number
  key: string
}

const lookEveryMs = 20
const metWithinMs = 10_000
/** Longest time between taking the file of a point and writing the name. */
const saidWithinMs = 5_000

/** Returns the result of `look`, called again for a limited time. */
export async function find<T>(
  look: () => T | undefined | Promise<T | undefined>,
  withinMs: number
): Promise<T | undefined> {
  for (const untilMs = Date.now() + withinMs; Date.now() < untilMs; await pause(lookEveryMs)) {
    const found = await look()
    if (found !== undefined) return found
  }
  return undefined
}

export function createPoints(dir: string) {
  mkdirSync(dir, { recursive: true })

  function arm(point: PinnedPoint, signal: NodeJS.Signals): void {
    rmSync(join(dir, reachedName(point)), { force: true })
    writeFileSync(join(dir, point), signal)
  }

  /** Disarms a point. Returns whether the point was not reached before. */
  function disarm(point: PinnedPoint): boolean {
    try {
      unlinkSync(join(dir, point))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return false
    }
  }

  /**
   * Reads the process at a point. The line that follows the signal is written before the signal is
   * sent.
   */
  function readMet(point: PinnedPoint): Met | undefined {
    const reached = join(dir, reachedName(point))
    const line = existsSync(reached) ? readFileSync(reached, 'utf8').split('\n')[1] : undefined
    return line === undefined || line === '' ? undefined : (JSON.parse(line) as Met)
  }

  return {
    arm,
    disarm,
    /**
     * Arms a point and waits until a process reaches it. Returns undefined when no process comes.
     */
    async met(point: PinnedPoint, signal: NodeJS.Signals): Promise<Met | undefined> {
      arm(point, signal)
      const met = await find(() => readMet(point), metWithinMs)
      // A process may have reached the point at the last moment. The process may be stopped there,
      // so the line is read again.
      return met !== undefined || disarm(point)
        ? met
        : await find(() => readMet(point), saidWithinMs)
    }
  }
}
