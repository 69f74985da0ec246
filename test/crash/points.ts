// Points of writers and merges that a blow waits for: armed by a file, and whoever comes there says so before it sends itself the signal.
import { existsSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type PinnedPoint, reachedName } from '../../apps/index-worker/src/test-hooks.ts'

/** Who was at a point, when, and the key that it read or wrote. */
export interface Met {
  pid: number
  atMs: number
  key: string
}

const lookEveryMs = 20
const metWithinMs = 10_000
/** From taking the file of a point to saying so. */
const saidWithinMs = 5_000

/** What `look` finds, asked again for a while. */
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

  /** Whether nobody has come there. */
  function disarm(point: PinnedPoint): boolean {
    try {
      unlinkSync(join(dir, point))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return false
    }
  }

  /** The line that follows the signal is written before the signal is sent. */
  function readMet(point: PinnedPoint): Met | undefined {
    const reached = join(dir, reachedName(point))
    const line = existsSync(reached) ? readFileSync(reached, 'utf8').split('\n')[1] : undefined
    return line === undefined || line === '' ? undefined : (JSON.parse(line) as Met)
  }

  return {
    arm,
    disarm,
    /** Arms a point and waits until somebody is there; undefined when nobody comes. */
    async met(point: PinnedPoint, signal: NodeJS.Signals): Promise<Met | undefined> {
      arm(point, signal)
      const met = await find(() => readMet(point), metWithinMs)
      // Whoever came at the last moment is not forgotten: it may stand there.
      return met !== undefined || disarm(point)
        ? met
        : await find(() => readMet(point), saidWithinMs)
    }
  }
}
