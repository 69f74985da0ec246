// Appends to the log of a collection. A slot is created with a conditional PUT, and only by a
// process that knows that the slot below exists. So the order of slots is the order of acceptance,
// across all processes. There is no counter that could be lost or go back.
import { assertApplicable } from '@likeness/shared/contract/operation'
import type { LogAppender } from '../contract.ts'
import { CollectionLog, type LogDeps } from './collection-log.ts'

export function createLogAppender(deps: LogDeps): LogAppender {
  const logs = new Map<string, CollectionLog>()

  function logOf(collectionId: string): CollectionLog {
    let log = logs.get(collectionId)
    if (log === undefined) logs.set(collectionId, (log = new CollectionLog(deps, collectionId)))
    return log
  }

  return {
    async append(collectionId, operation, { afterSlot } = {}) {
      assertApplicable(operation)
      const log = logOf(collectionId)
      return afterSlot === undefined
        ? await log.append(operation)
        : await log.appendUnlessFound(operation, afterSlot)
    },
    admit: (collectionId) => logOf(collectionId).admit(),
    isOfThisFormat: (collectionId) => logOf(collectionId).isOfThisFormat(),
    find: (collectionId, opId, afterSlot) => logOf(collectionId).find(opId, afterSlot),
    tail: (collectionId) => logOf(collectionId).findTail()
  }
}
