// Hints over Redis pub/sub, both ways. All of them may be lost: nothing here may fail or delay a request.
import type { Catalog, Replica } from '@likeness/engine/contract'
import { channels, committedHintSchema, type WorkHint } from '@likeness/shared/contract/work'
import { messageOf } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'

export interface Hints {
  /** The owner of a collection has log entries to read. */
  work(hint: WorkHint): void
  /** Names changed. */
  catalog(name: string): void
}

export interface Publisher {
  publish(channel: string, message: string): Promise<unknown>
}
export interface Subscriber {
  subscribe(...channels: string[]): Promise<unknown>
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
}

export function createHints({ publisher, log }: { publisher: Publisher; log: Logger }): Hints {
  let failing = false
  const publish = (channel: string, message: object): void => {
    publisher.publish(channel, JSON.stringify(message)).then(
      () => {
        failing = false
      },
      (error: unknown) => {
        if (!failing) log.warn({ err: error, channel }, 'hints are not delivered')
        failing = true
      }
    )
  }
  return {
    work: (hint) => publish(channels.work, hint),
    catalog: (name) => publish(channels.catalog, { name })
  }
}

/** Feeds hints of other processes into the replica and the catalogue cache. */
export function listenForHints(deps: { subscriber: Subscriber; replica: Replica; catalog: Catalog; log: Logger }): void {
  const { subscriber, replica, catalog, log } = deps
  subscriber.on('message', (channel, message) => {
    if (channel === channels.catalog) return catalog.invalidate()
    try {
      const hint = committedHintSchema.parse(JSON.parse(message))
      replica.hint(hint.incarnation, hint.seq)
    } catch (error) {
      log.warn({ reason: messageOf(error), channel }, 'a hint is not readable')
    }
  })
  subscriber.subscribe(channels.committed, channels.catalog).catch((error: unknown) => log.warn({ err: error }, 'not subscribed to hints; polling goes on'))
}
