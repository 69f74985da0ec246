// Notifications from pub/sub, kept per collection until the writer takes them. Polls and lists
// replace lost notifications.
import { channels, workNotificationSchema } from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'

export interface NotificationBox {
  take(): string[]
  put(batches: readonly string[]): void
  /** Resolves when a notification arrives or after `ms`. */
  wait(ms: number): Promise<void>
}

export interface Notifications {
  boxOf(collectionId: string): NotificationBox
  drop(collectionId: string): void
  /** Called with the collection of every notification. */
  listen(listener: (collectionId: string) => void): void
}

function createBox(): NotificationBox & { wake(): void } {
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

export async function subscribeNotifications({
  redis,
  logger
}: {
  redis: Redis
  logger: Logger
}): Promise<Notifications> {
  const boxes = new Map<string, ReturnType<typeof createBox>>()
  const listeners: ((collectionId: string) => void)[] = []
  redis.on('message', (channel: string, text: string) => {
    // Notifications of changed names come over this connection too.
    if (channel !== channels.work) return
    try {
      const notification = workNotificationSchema.parse(JSON.parse(text))
      for (const listener of listeners) listener(notification.collectionId)
      const box = boxes.get(notification.collectionId)
      if (box === undefined) return
      box.put(notification.batches ?? [])
      box.wake()
    } catch (error) {
      logger.warn({ err: error }, 'hint not understood')
    }
  })
  await redis.subscribe(channels.work)
  return {
    boxOf(collectionId) {
      let box = boxes.get(collectionId)
      if (box === undefined) boxes.set(collectionId, (box = createBox()))
      return box
    },
    drop: (collectionId) => void boxes.delete(collectionId),
    listen: (listener) => void listeners.push(listener)
  }
}
