// Hints from pub/sub, kept per collection until its owner takes them. Lost hints are made up for by polls and lists.
import { channels, workHintSchema } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

export interface HintBox {
  take(): string[]
  put(batches: readonly string[]): void
  /** Resolves when a hint arrives or after `ms`. */
  wait(ms: number): Promise<void>
}

export interface Hints {
  boxOf(incarnation: string): HintBox
  drop(incarnation: string): void
  /** Called with the collection of every hint. */
  listen(listener: (incarnation: string) => void): void
}

function createBox(): HintBox & { wake(): void } {
  const batches = new Set<string>()
  let woken = false
  let waiter: (() => void) | undefined
  const wake = (): void => {
    woken = true
    waiter?.()
  }
  return {
    take() {
      const taken = [...batches]
      batches.clear()
      return taken
    },
    put(more) {
      for (const key of more) batches.add(key)
    },
    wake,
    async wait(ms) {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          waiter = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      waiter = undefined
      woken = false
    }
  }
}

export async function subscribeHints({ redis, log }: { redis: Redis; log: Logger }): Promise<Hints> {
  const boxes = new Map<string, ReturnType<typeof createBox>>()
  const listeners: ((incarnation: string) => void)[] = []
  redis.on('message', (channel: string, text: string) => {
    // Names that changed come over this connection too.
    if (channel !== channels.work) return
    try {
      const hint = workHintSchema.parse(JSON.parse(text))
      for (const listener of listeners) listener(hint.incarnation)
      const box = boxes.get(hint.incarnation)
      if (box === undefined) return
      box.put(hint.batches ?? [])
      box.wake()
    } catch (error) {
      log.warn({ err: error }, 'hint not understood')
    }
  })
  await redis.subscribe(channels.work)
  return {
    boxOf(incarnation) {
      let box = boxes.get(incarnation)
      if (box === undefined) boxes.set(incarnation, (box = createBox()))
      return box
    },
    drop: (incarnation) => void boxes.delete(incarnation),
    listen: (listener) => void listeners.push(listener)
  }
}
