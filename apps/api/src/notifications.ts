// Notifications over Redis pub/sub, both ways. Every notification may be lost: notifications never
// fail or delay a request.
import type { Catalog } from '@likeness/engine/catalog-contract'
import type { Replica } from '@likeness/engine/contract'
import { toStored } from '@likeness/shared/contract/stored-names'
import {
  channels,
  commitNotificationSchema,
  type WorkNotification
} from '@likeness/shared/contract/work'
import { presenceChannel } from '@likeness/shared/contract/presence'
import { messageOf } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'

export interface Notifications {
  /** Tells the writer of a collection that there are new log entries. */
  work(notification: WorkNotification): void
  /** Tells that names changed. */
  catalog(name: string): void
}

export interface Publisher {
  publish(channel: string, message: string): Promise<unknown>
}
export interface Subscriber {
  subscribe(...channels: string[]): Promise<unknown>
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

export function createNotifications({
  publisher,
  logger
}: {
  publisher: Publisher
  logger: Logger
}): Notifications {
  let failing = false
  const publish = (channel: string, message: object): void => {
    publisher.publish(channel, JSON.stringify(message)).then(
      () => {
        failing = false
      },
      (error: unknown) => {
        if (!failing) logger.warn({ err: error, channel }, 'hints are not delivered')
        failing = true
      }
    )
  }
  return {
    work: (notification) => publish(channels.work, toStored(notification)),
    catalog: (name) => publish(channels.catalog, { name })
  }
}

/** Passes notifications of other processes to the replica and the catalogue cache. */
export function listenForNotifications(deps: {
  subscriber: Subscriber
  replica: Replica
  catalog: Catalog
  logger: Logger
  /** Called with what a worker tells about itself. */
  hear: (text: string) => void
}): void {
  const { subscriber, replica, catalog, logger, hear } = deps
  subscriber.on('message', (channel, message) => {
    if (channel === presenceChannel) return hear(message)
    if (channel === channels.catalog) return catalog.invalidate()
    try {
      const notification = commitNotificationSchema.parse(JSON.parse(message))
      replica.notify(notification.collectionId, notification.seq)
    } catch (error) {
      logger.warn({ reason: messageOf(error), channel }, 'a hint is not readable')
    }
  })
  subscriber
    .subscribe(channels.committed, channels.catalog, presenceChannel)
    .catch((error: unknown) =>
      logger.warn({ err: error }, 'not subscribed to hints; polling goes on')
    )
}
