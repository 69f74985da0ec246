// Finds the newest base that is whole, by its name alone: CURRENT and its manifest may be lost. A
// base that was never committed is as good, because it holds a version that was.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { retryStore } from '@likeness/store/retry-store'
import type { WorkSource } from '../log/read-log.ts'
import { isLost, readPart, readStateLines } from '../state/read-state.ts'
import type { BaseRef } from '../state/history.ts'
import { type Base, decodeBase, neededFiles, packFiles } from '../base/base.ts'

const headsAtOnce = 32

export interface FoundBase {
  base: Base
  ref: BaseRef
}

/** Returns undefined when there is none. */
export async function findBase(
  source: WorkSource & { logger: Logger }
): Promise<FoundBase | undefined> {
  const { store, clock, keys, signal, logger } = source
  const list = async (): Promise<string[]> => {
    const names: string[] = []
    for await (const { key } of store.list(keys.basePrefix)) names.push(key)
    return names
  }
  for (const key of (await retryStore(clock, list, signal)).reverse()) {
    try {
      return await retryStore(clock, () => readWhole(source, key), signal)
    } catch (error) {
      if (!isLost(error)) throw error
      logger.error({ err: error, base: key }, 'a base is damaged, and passed over')
    }
  }
  return undefined
}

async function readWhole({ store }: WorkSource, key: string): Promise<FoundBase> {
  const found = await decodeBase(store, key)
  const { base } = found
  await readStateLines(base.state, (ref) => readPart(store, ref))
  const packed = new Set(base.packs.flatMap(packFiles))
  for (const ref of neededFiles(base)) if (!packed.has(ref)) await readPart(store, ref)
  const head = async (ref: { key: string; sizeBytes: number }) => {
    const info = await store.head(ref.key)
    return { ref, isThere: info?.sizeBytes === ref.sizeBytes }
  }
  for await (const { ref, isThere } of mapInOrder(packed, headsAtOnce, head))
    if (!isThere) throw lacking(key, ref.key)
  return found
}

const lacking = (key: string, file: string) =>
  appError('object_not_found', `${key} lacks ${file}, or a part of it`)
