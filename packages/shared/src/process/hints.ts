// Sends hints over pub/sub. A hint never fails or delays its sender. One that Redis did not take is
// kept, the newest of each key, and sent when the connection is back: the receivers trust their own
// connections, and would wait for minutes.
import { maxWaitingHints } from '../contract/limits.ts'
import type { Logger } from './logger.ts'

export interface HintPublisher {
  publish(channel: string, message: string): Promise<unknown>
  on(event: 'ready', listener: () => void): unknown
}

export interface Hints {
  /** A hint takes the place of an earlier one with the same channel and key that still waits. */
  send(channel: string, message: object, key: string): void
}

export function createHints({
  publisher,
  logger
}: {
  publisher: HintPublisher
  logger: Logger
}): Hints {
  const waiting = new Map<string, { channel: string; text: string }>()
  let isFailing = false

  function publish(id: string, hint: { channel: string; text: string }): void {
    waiting.delete(id)
    publisher.publish(hint.channel, hint.text).then(
      () => {
        isFailing = false
      },
      (error: unknown) => {
        if (!isFailing)
          logger.warn({ err: error, channel: hint.channel }, 'hints are not delivered')
        isFailing = true
        // A newer hint may wait by now.
        if (!waiting.has(id)) keep(id, hint)
      }
    )
  }
  function keep(id: string, hint: { channel: string; text: string }): void {
    waiting.set(id, hint)
    if (waiting.size > maxWaitingHints) waiting.delete(waiting.keys().next().value!)
  }
  publisher.on('ready', () => {
    for (const [id, hint] of [...waiting]) publish(id, hint)
  })
  return {
    send: (channel, message, key) =>
      publish(`${channel} ${key}`, { channel, text: JSON.stringify(message) })
  }
}
