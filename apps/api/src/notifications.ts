// Notifications over Redis pub/sub, both ways. Every notification may be lost: notifications never
// fail or delay a request.
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Replica } from '@likeness/engine/contract'
import { toStored } from '@likeness/shared/contract/stored-names'
import { maxWaitingHints } from '@likeness/shared/contract/limits'
import {
  catalogNotificationSchema,
  channels,
  commitNotificationSchema,
  type WorkNotification
} from '@likeness/shared/contract/work'
import { presenceChannel } from '@likeness/shared/contract/presence'
import { messageOf } from '@likeness/shared/errors'
import { createHints, type HintPublisher } from '@likeness/shared/process/hints'
import type { Logger } from '@likeness/shared/process/logger'

export interface Notifications {
  /**
   * Tells the writer of a collection that there are new log entries. With a slot, tells it again
   * until a commit with that slot is announced, a few times: the writer polls rarely.
   */
  work(notification: WorkNotification): void
  /** Tells that names changed. */
  catalog(name: string): void
  /** A commit has applied the slots up to this one. */
  applied(collectionId: string, slot: number): void
}

export interface Subscriber {
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

/** Times after the first notification at which it is repeated. */
const repeatAfterMs = [1_000, 5_000]

interface Unapplied {
  slot: number
  timers: NodeJS.Timeout[]
}

export function createNotifications(deps: {
  publisher: HintPublisher
  logger: Logger
}): Notifications {
  const hints = createHints(deps)
  /** The newest slot of each collection whose commit is not announced yet. */
  const unapplied = new Map<string, Unapplied>()

  const send = ({ collectionId, slot }: WorkNotification): void =>
    hints.send(channels.work, toStored({ collectionId, slot }), collectionId)

  function end(collectionId: string): void {
    for (const timer of unapplied.get(collectionId)?.timers ?? []) clearTimeout(timer)
    unapplied.delete(collectionId)
  }
  function repeat(collectionId: string, slot: number): void {
    end(collectionId)
    const timers = repeatAfterMs.map((ms, i) =>
      setTimeout(() => {
        if (i === repeatAfterMs.length - 1) end(collectionId)
        send({ collectionId, slot })
      }, ms).unref()
    )
    unapplied.set(collectionId, { slot, timers })
    if (unapplied.size > maxWaitingHints) end(unapplied.keys().next().value!)
  }
  return {
    work(notification) {
      send(notification)
      const { collectionId, slot } = notification
      if (slot !== undefined)
        repeat(collectionId, Math.max(slot, unapplied.get(collectionId)?.slot ?? 0))
    },
    catalog: (name) => hints.send(channels.catalog, { name }, name),
    applied(collectionId, slot) {
      if (slot >= (unapplied.get(collectionId)?.slot ?? Infinity)) end(collectionId)
    }
  }
}

/** Passes notifications of other processes to the replica and the catalogue cache. */
export function listenForNotifications(deps: {
  subscriber: Subscriber
  replica: Replica
  catalog: Catalog
  notifications: Pick<Notifications, 'applied'>
  logger: Logger
  /** Called with what a worker tells about itself. */
  hear: (text: string) => void
}): void {
  const { subscriber, replica, notifications, logger, hear } = deps
  subscriber.on('message', (channel, message) => {
    if (channel === presenceChannel) return hear(message)
    try {
      if (channel === channels.catalog) return followNames(deps, message)
      const { collectionId, seq, appliedSlot } = commitNotificationSchema.parse(JSON.parse(message))
      replica.notify(collectionId, seq)
      if (appliedSlot !== undefined) notifications.applied(collectionId, appliedSlot)
    } catch (error) {
      logger.warn({ reason: messageOf(error), channel }, 'a hint is not readable')
    }
  })
}

/** Channels that `listenForNotifications` understands. */
export const heardChannels = [channels.committed, channels.catalog, presenceChannel]

/** A collection that was dropped under this name leaves the replica. */
function followNames(
  { catalog, replica }: { catalog: Catalog; replica: Replica },
  message: string
): void {
  catalog.invalidate()
  const { name } = catalogNotificationSchema.parse(JSON.parse(message))
  replica.check(name)
}
