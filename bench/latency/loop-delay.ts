// How late the turns of an event loop are, and how much of that the thread spent waiting for a processor that others had.
import { readFileSync } from 'node:fs'
import { percentile } from '../measure.ts'

export interface LoopDelay {
  p50Ms: number
  p999Ms: number
  maxMs: number
  /** Without the time in which the thread was ready to run and had no processor: what this program itself made late. */
  ownP999Ms: number
  ownMaxMs: number
}

/** Milliseconds this thread has waited in the run queue so far; 0 where the kernel does not say. */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

/** Watches from now on; each call of the returned function tells about the time since the one before. */
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
