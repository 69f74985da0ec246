// Embeds an image of a chunk through the pool. When a child died with the image in flight, the
// image is tried alone, until the cause is clear.
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { appError, isErrorCode } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { Embedded, ItemTask, Priority } from '../child-protocol.ts'
import type { InFlight, InFlightRecord } from '../in-flight.ts'
import type { RunOptions, TaskOutcome } from '../pool/task.ts'

export interface EmbedItemDeps {
  pool: { run(task: ItemTask, options: RunOptions): Promise<TaskOutcome> }
  isolation: { run(task: ItemTask, options: RunOptions): Promise<TaskOutcome> }
  logger: Logger
}
export interface EmbedItemContext {
  priority: Priority
  signal: AbortSignal
  inHand: InFlightRecord
  /** The image was in flight when an earlier try ended: it never runs beside others again. */
  leftover: InFlight | undefined
}
export type ItemOutcome = { embedded: Embedded } | { failure: { code: string; message: string } }

/**
 * After this many crashes with no other picture in the process, the picture is treated as the
 * cause. Three outside kills at the wrong moment look the same.
 */
const deathsToFail = 3

/**
 * Rejects, so that the queue tries the chunk again, when the cause is outside: `store_unavailable`,
 * an aborted signal, a stop.
 */
export function createItemEmbedder({ pool, isolation, logger }: EmbedItemDeps) {
  async function tryAlone(
    line: ItemListLine,
    task: ItemTask,
    context: EmbedItemContext
  ): Promise<ItemOutcome> {
    const { ordinal } = line
    let deaths = context.leftover?.deaths ?? 0
    while (deaths < deathsToFail) {
      const beforeSend = () => context.inHand.take(ordinal, { alone: true, deaths })
      const outcome = await isolation.run(task, {
        priority: context.priority,
        signal: context.signal,
        beforeSend
      })
      if (outcome.type !== 'died') return toItemOutcome(outcome)
      if (outcome.sole) deaths += 1
      logger.warn(
        { ordinal, itemId: line.id, deaths, sole: outcome.sole },
        'an inference process died over an image that it had alone'
      )
    }
    return {
      failure: {
        code: 'image_kills_worker',
        message: `the process that decodes and embeds it died ${deaths} times with this picture alone`
      }
    }
  }

  return async (
    line: ItemListLine,
    task: ItemTask,
    context: EmbedItemContext
  ): Promise<ItemOutcome> => {
    const { inHand, leftover, priority, signal } = context
    try {
      if (leftover !== undefined) return await tryAlone(line, task, context)
      const beforeSend = () => inHand.take(line.ordinal, { alone: false, deaths: 0 })
      const outcome = await pool.run(task, { priority, signal, beforeSend })
      if (outcome.type !== 'died') return toItemOutcome(outcome)
      logger.info(
        { ordinal: line.ordinal, itemId: line.id },
        'an inference process died over this image among others, it is tried alone'
      )
      return await tryAlone(line, task, context)
    } finally {
      inHand.letGo(line.ordinal)
    }
  }
}
export type EmbedItem = ReturnType<typeof createItemEmbedder>

function toItemOutcome(outcome: Exclude<TaskOutcome, { type: 'died' }>): ItemOutcome {
  if (outcome.type === 'done') {
    if (outcome.result.kind !== 'embedded')
      throw appError('internal', 'an item was answered with a thumbnail')
    return { embedded: outcome.result }
  }
  const { code, message } = outcome
  const error = appError(isErrorCode(code) ? code : 'internal', message)
  if (error.status >= 500) throw error
  return { failure: { code, message } }
}
