// The arrivals that are in no pack, from the batches that have brought them.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { type AppError, appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { readBatch } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { LooseBatch } from '../state/history.ts'
import type { Manifest } from '../version/manifest.ts'
import { arrivalsOf, type FromOrigin } from './pack-arrivals.ts'
import { isLost, type StateContent } from '../state/read-state.ts'

const batchesAhead = 4

/** Returns the arrivals of a batch that cannot be read, or throws. */
export type OnDamage = (batch: LooseBatch, error: AppError) => AsyncIterable<FromOrigin>

interface Loose {
  version: Manifest
  /** State lines of the version. */
  content: StateContent
  onDamage: OnDamage
}

/** Yields them in their order. */
export async function* looseArrivals(
  source: WorkSource,
  { version, content, onDamage }: Loose
): AsyncGenerator<FromOrigin> {
  const after = version.history?.base?.lastArrival ?? 0
  const loose = [...content.of('batch').values()]
    .filter(({ first }) => first > after)
    .sort((a, b) => a.first - b.first)
  const read = async (batch: LooseBatch) => {
    try {
      return { batch, stored: await readLoose(source, version, batch) }
    } catch (error) {
      if (!isLost(error)) throw error
      return { batch, error }
    }
  }
  for await (const { batch, stored, error } of mapInOrder(loose, batchesAhead, read)) {
    if (stored === undefined) yield* onDamage(batch, error)
    else yield* arrivalsOf(batch, stored)
  }
}

async function readLoose(source: WorkSource, { spec }: Manifest, { key, items }: LooseBatch) {
  const read = await retryStore(source.clock, () => readBatch(source, spec, key), source.signal)
  // Another owner may have folded and deleted it.
  if (read === undefined) throw appError('object_not_found', `${key} was taken in, and is missing`)
  if (read.batch.header.items.length !== items)
    throw appError('data_corrupt', `${key} was taken in with ${items} items, and is another`)
  return read.batch
}
