// Limits the requests of a kind that are worked on at a time. Later ones wait for their turn, with
// their bodies unread. Beyond the queue, or after a while in it, the answer is 503 overloaded.
import { maxWaiting, maxWaitMs } from '@likeness/shared/contract/limits'
import { createSemaphore } from '@likeness/shared/data/semaphore'
import { appError } from '@likeness/shared/errors'

export interface Gate {
  /**
   * Resolves with the function that lets the next request in. Rejects with overloaded, or when
   * `gone` aborts.
   */
  enter(gone: AbortSignal): Promise<() => void>
}

export interface GateOptions {
  /** Requests worked on at a time. */
  running: number
  waiting?: number
  waitMs?: number
}

/** `kind`: name of the requests in the error, for example `searches`. */
export function createGate(
  kind: string,
  { running, waiting: mostWaiting = maxWaiting, waitMs = maxWaitMs }: GateOptions
): Gate {
  const semaphore = createSemaphore(running)
  let waiting = 0
  const overloaded = (why: string) =>
    appError('overloaded', `too many ${kind} at once: ${why}`, { retryAfterS: 1 })
  return {
    async enter(gone) {
      if (waiting >= mostWaiting)
        throw overloaded(`${running} are running, and ${mostWaiting} are waiting`)
      waiting++
      const taken = semaphore.take()
      try {
        return await inTime(taken, waitMs, gone, () =>
          overloaded(`this one waited for ${waitMs / 1000} s`)
        )
      } finally {
        waiting--
      }
    }
  }
}

/** Gives the permit back when it comes after the end of the wait. */
async function inTime(
  taken: Promise<() => void>,
  waitMs: number,
  gone: AbortSignal,
  late: () => Error
): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined
  let leave: (() => void) | undefined
  let isOver = false
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), waitMs)
    leave = () => reject(appError('invalid_request', 'the client left while it waited'))
    gone.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([taken, ended])
  } catch (error) {
    isOver = true
    throw error
  } finally {
    clearTimeout(timer)
    gone.removeEventListener('abort', leave!)
    if (isOver) void taken.then((release) => release())
  }
}
