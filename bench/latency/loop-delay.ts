// Measures the delay of an event loop's turns, and the part of it in which the thread waited for a
// busy processor.
import { readFileSync } from 'node:fs'
import { percentile } from '../measure.ts'

export interface LoopDelay {
  p50Ms: number
  p999Ms: number
  maxMs: number
  /**
   * Delay without the time in which the thread was ready to run and had no processor: this
   * program's own delay.
   */
  ownP999Ms: number
  ownMaxMs: number
}

/**
 * Milliseconds that this thread has waited in the run queue so far; 0 where the kernel does not
 * tell.
 */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

/** Watches from now on. Each call of the returned function reports the time since the last call. */
export function watchLoop(): () => LoopDelay {
  const [everyMs, delays, own]: [number, number[], number[]] = [1, [], []]
  let [atMs, waited] = [performance.now(), waitedMs()]
  setInterval(() => {
    const [nowMs, nowWaited] = [performance.now(), waitedMs()]
    const delay = Math.max(0, nowMs - atMs - everyMs)
    delays.push(delay)
    own.push(Math.max(0, delay - (nowWaited - waited)))
    ;[atMs, waited] = [nowMs, nowWaited]
  }, everyMs).unref()
  return () => {
    const [all, ours] = [delays.splice(0), own.splice(0)]
    return {
      p50Ms: percentile(all, 0.5),
      p999Ms: percentile(all, 0.999),
      maxMs: Math.max(0, ...all),
      ownP999Ms: percentile(ours, 0.999),
      ownMaxMs: Math.max(0, ...ours)
    }
  }
}
