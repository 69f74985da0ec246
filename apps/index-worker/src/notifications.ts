// Notifications from pub/sub, kept per collection until the writer takes them. Polls and lists
// replace lost notifications. While the subscription is trusted, polls may be rare.
import {
  channels,
  type HandOverNotification,
  handOverNotificationSchema,
  workNotificationSchema
} from '@likeness/shared/contract/work'
import type { Logger } from '@likeness/shared/process/logger'
import type { Redis } from '@likeness/shared/process/redis'
import { type Subscription, subscribeTo } from '@likeness/shared/process/subscription'

export interface NotificationBox {
  take(): string[]
  put(batches: readonly string[]): void
  /** Newest slot that a notification named; 0 when there was none. */
  slot(): number
  /** Call this when the slot is applied, or the log does not have it. */
  forgetSlot(): void
  /** Whether each notification arrives from now on, or the next `wait` ends. */
  isTrusted(): boolean
  /**
   * Resolves when a notification arrives, when trust begins or ends, or after `ms`. Returns false
   * after `ms`.
   */
  wait(ms: number): Promise<boolean>
  /** Ends the wait of now, or the next one. */
  wake(): void
}

export interface Notifications extends Pick<Subscription, 'isTrusted' | 'onChange' | 'stop'> {
  boxOf(collectionId: string): NotificationBox
  drop(collectionId: string): void
  /** Called with the collection of every notification. */
  listen(listener: (collectionId: string) => void): void
  /** Called when names of collections changed. */
  listenForNames(listener: () => void): void
  /** Called with notifications from one index-worker to another. */
  listenForHandOvers(listener: (notification: HandOverNotification) => void): void
}

interface OpenBox extends NotificationBox {
  hear(slot: number): void
}

function createBox(isTrusted: () => boolean): OpenBox {
  const batches = new Set<string>()
  let newestSlot = 0
  let woken = false
  let waiter: (() => void) | undefined
  return {
    take() {
      const taken = [...batches]
      batches.clear()
      return taken
    },
    put(more) {
      for (const key of more) batches.add(key)
    },
    slot: () => newestSlot,
    hear: (slot) => void (newestSlot = Math.max(newestSlot, slot)),
    forgetSlot: () => void (newestSlot = 0),
    isTrusted,
    wake() {
      woken = true
      waiter?.()
    },
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
      const isWoken = woken
      waiter = undefined
      woken = false
      return isWoken
    }
  }
}

export function subscribeNotifications({
  redis,
  logger
}: {
  redis: Redis
  logger: Logger
}): Notifications {
  const boxes = new Map<string, OpenBox>()
  const listeners: ((collectionId: string) => void)[] = []
  const nameListeners: (() => void)[] = []
  const handOverListeners: ((notification: HandOverNotification) => void)[] = []

  function take(text: string): void {
    const { collectionId, slot = 0, batches = [] } = workNotificationSchema.parse(JSON.parse(text))
    for (const listener of listeners) listener(collectionId)
    const box = boxes.get(collectionId)
    if (box === undefined) return
    box.put(batches)
    box.hear(slot)
    box.wake()
  }
  redis.on('message', (channel: string, text: string) => {
    if (channel === channels.catalog) for (const listener of nameListeners) listener()
    try {
      if (channel === channels.work) take(text)
      if (channel !== channels.handOver) return
      const notification = handOverNotificationSchema.parse(JSON.parse(text))
      for (const listener of handOverListeners) listener(notification)
    } catch (error) {
      logger.warn({ err: error }, 'hint not understood')
    }
  })
  const subscription = subscribeTo(redis, [channels.work, channels.catalog, channels.handOver])
  subscription.onChange((isTrusted) => {
    logger.info({ isTrusted }, isTrusted ? 'hints arrive' : 'hints are lost, polling every second')
    for (const box of boxes.values()) box.wake()
  })
  return {
    ...subscription,
    boxOf(collectionId) {
      let box = boxes.get(collectionId)
      if (box === undefined) boxes.set(collectionId, (box = createBox(subscription.isTrusted)))
      return box
    },
    drop: (collectionId) => void boxes.delete(collectionId),
    listen: (listener) => void listeners.push(listener),
    listenForNames: (listener) => void nameListeners.push(listener),
    listenForHandOvers: (listener) => void handOverListeners.push(listener)
  }
}
