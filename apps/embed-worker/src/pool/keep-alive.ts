// Keeps a child running: starts the child again after a death, more slowly after each death without
// finished work.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@likeness/shared/process/logger'
import type { ChildModel } from '../child-protocol.ts'
import { type Child, EndedWhileLoading, type StartChild } from './child-handle.ts'

export interface KeepAliveDeps {
  startChild: StartChild
  /** Uses a loaded child until it is gone. Resolves with true when the child finished work. */
  attend: (child: Child) => Promise<boolean>
  logger: Logger
}
export interface Seat {
  /**
   * Model of the first child. Rejects with the reason when the first child cannot load; then no
   * other child is started.
   */
  loaded: Promise<ChildModel>
  stop(): Promise<void>
}

const closeWithinMs = 2_000
const firstTries = 5
export const restartDelayMs = (failures: number): number => Math.min(10_000, 50 * 2 ** failures)

export function keepAlive({ startChild, attend, logger }: KeepAliveDeps): Seat {
  const stopped = new AbortController()
  let current: Child | undefined

  async function serve(child: Child): Promise<boolean> {
    current = child
    if (stopped.signal.aborted) child.kill()
    const worked = await attend(child)
    current = undefined
    if (!stopped.signal.aborted)
      logger.warn({ child: child.pid }, 'inference process died and is replaced')
    return worked
  }
  async function replaceForEver(first: Child): Promise<void> {
    let child: Child | undefined = first
    let failures = 0
    while (!stopped.signal.aborted) {
      const worked = child !== undefined && (await serve(child))
      failures = worked ? 0 : failures + 1
      await sleep(restartDelayMs(failures), undefined, { signal: stopped.signal }).catch(() => {})
      if (stopped.signal.aborted) return
      child = await startChild().catch(
        (error: unknown) =>
          void logger.error({ err: error, failures }, 'inference process did not start')
      )
    }
  }

  const first = startFirst(startChild)
  const running = first.then(replaceForEver, () => {})
  return {
    loaded: first.then((child) => child.model),
    async stop() {
      stopped.abort()
      await closeChild(current)
      await running
    }
  }
}

/**
 * Starts the first child. A given reason is final; a process that ends without a reason may have
 * been killed by chance and is tried again.
 */
async function startFirst(startChild: StartChild): Promise<Child> {
  for (let failures = 1; ; failures++) {
    try {
      return await startChild()
    } catch (error) {
      if (!(error instanceof EndedWhileLoading) || failures === firstTries) throw error
    }
    await sleep(restartDelayMs(failures))
  }
}

/** Asks the child to close, then kills it. */
export async function closeChild(child: Child | undefined): Promise<void> {
  if (!child) return
  child.send({ type: 'close' })
  const timer = setTimeout(() => child.kill(), closeWithinMs)
  await child.gone
  clearTimeout(timer)
}
