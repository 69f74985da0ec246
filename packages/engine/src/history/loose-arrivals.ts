// The arrivals that are in no pack, from the batches that have brought them.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import type { Arrival, Origin } from '../base/pack.ts'
import { readBatch } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { LooseBatch } from '../state/history.ts'
import type { StateContent } from '../state/read-state.ts'
import type { Manifest } from '../version/manifest.ts'
import { arrivalsOf } from './pack-arrivals.ts'

const batchesAhead = 4

/**
 * Yields them in their order. `content`: the state lines of the version. Throws data_corrupt, or
 * object_not_found.
 */
export async function* looseArrivals(
  source: WorkSource,
  version: Manifest,
  content: StateContent
): AsyncGenerator<{ origin: Origin; arrival: Arrival }> {
  const after = version.history?.base?.lastArrival ?? 0
  const loose = [...content.of('batch').values()]
    .filter(({ first }) => first > after)
    .sort((a, b) => a.first - b.first)
  const read = async (batch: LooseBatch) => ({
    batch,
    stored: await readLoose(source, version, batch)
  })
  for await (const { batch, stored } of mapInOrder(loose, batchesAhead, read))
    yield* arrivalsOf(batch, stored)
}

async function readLoose(source: WorkSource, { spec }: Manifest, { key, items }: LooseBatch) {
  const read = await retryStore(source.clock, () => readBatch(source, spec, key), source.signal)
  // Another owner may have folded and deleted it.
  if (read === undefined) throw appError('object_not_found', `${key} was taken in, and is missing`)
  if (read.batch.header.items.length !== items)
    throw appError('data_corrupt', `${key} was taken in with ${items} items, and is another`)
  return read.batch
}
