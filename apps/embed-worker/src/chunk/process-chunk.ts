// Processes a chunk job: reads the item list part, skips the items that are written already, then
// embeds and writes the rest as vector batches.
import { setMaxListeners } from 'node:events'
import { decodeItemList, type ItemListLine, lostLines } from '@likeness/shared/contract/item-list'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { BatchItem } from '@likeness/shared/contract/vector-batch'
import type { ChunkJob } from '@likeness/shared/contract/work'
import { appError, isAppError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ChildModel, Priority } from '../child-protocol.ts'
import type { Embeddings } from '../embeddings.ts'
import type { OpenInFlight } from '../in-flight.ts'
import type { EmbedItem, EmbedItemContext, ItemOutcome } from './embed-item.ts'
import { createPartWriter, type PartEntry, type PartWriter } from './part-writer.ts'
import type { OpenShared } from './shared-writer.ts'
import { findWrittenOrdinals } from './written-ordinals.ts'

export interface ChunkDeps {
  store: ObjectStore
  model: Pick<ChildModel, 'rawDim'>
  embeddings: Embeddings
  embedItem: EmbedItem
  openInFlight: OpenInFlight
  openShared: OpenShared
  /** Tells the writer that there is a batch to apply. Never rejects. */
  announce: (collectionId: string, batchKey: string) => void
}
export interface ChunkRun {
  priority: Priority
  /**
   * Stops the chunk: embedded items are written first, then the call rejects with the signal's
   * reason.
   */
  signal: AbortSignal
  /** True when this worker or another tried the chunk before: batches of the chunk may exist. */
  repeated: boolean
  logger: Logger
}
export interface ChunkSummary {
  embedded: number
  failed: number
  skipped: number
}

/**
 * Rejects with `store_unavailable` or the signal's reason: the queue tries again. Rejects with
 * `embedding_mismatch`: another worker must take the chunk.
 */
export function createChunkProcessor(deps: ChunkDeps) {
  return async (job: ChunkJob, run: ChunkRun): Promise<ChunkSummary> => {
    await deps.embeddings.check(job.embedding)
    const lines = await readLines(deps.store, job, run.logger)
    if (lines === undefined) {
      run.logger.warn('item list is gone, its collection was dropped')
      return { embedded: 0, failed: 0, skipped: 0 }
    }
    // The few items of an inline chunk are embedded again: their batches have no names to find.
    const mayBeWritten = run.repeated && job.inline === undefined
    const todo = mayBeWritten ? await withoutWritten(deps.store, job, lines) : lines
    const counts = await embedLines(deps, job, run, todo)
    return { ...counts, skipped: lines.length - todo.length }
  }
}
export type ProcessChunk = ReturnType<typeof createChunkProcessor>

/**
 * undefined when the collection is gone. The items of a damaged or missing part are unknown: they
 * fail, so that the rest of the ingestion can end.
 */
async function readLines(
  store: ObjectStore,
  { collectionId, ingestion, firstOrdinal, size, inline }: ChunkJob,
  logger: Logger
): Promise<ItemListLine[] | undefined> {
  if (inline !== undefined) return inline.lines
  const { itemListPart, current: currentKey } = collectionKeys(collectionId)
  const key = itemListPart(ingestion, firstOrdinal)
  try {
    const part = await store.get(key)
    if (part !== undefined) return decodeItemList(key, part.body)
    // The part must exist while its collection exists.
    if ((await store.head(currentKey)) === undefined) return undefined
    throw appError('data_corrupt', `${key} is missing`)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    logger.error({ err: error, key }, 'item list is damaged or missing, its items fail')
    return lostLines(firstOrdinal, size)
  }
}

async function withoutWritten(
  store: ObjectStore,
  { collectionId, ingestion, firstOrdinal }: ChunkJob,
  lines: readonly ItemListLine[]
): Promise<ItemListLine[]> {
  const endOrdinal = Math.max(firstOrdinal, ...lines.map((line) => line.ordinal)) + 1
  const written = await findWrittenOrdinals(store, collectionKeys(collectionId), {
    ingestion,
    firstOrdinal,
    endOrdinal
  })
  return lines.filter((line) => !written.has(line.ordinal))
}

async function embedLines(
  deps: ChunkDeps,
  job: ChunkJob,
  run: ChunkRun,
  lines: readonly ItemListLine[]
) {
  const stop = new AbortController()
  const signal = AbortSignal.any([run.signal, stop.signal])
  setMaxListeners(lines.length + 10, signal)
  const inHand = deps.openInFlight(job.ingestion, job.firstOrdinal)
  const leftovers = run.repeated ? await inHand.leftovers() : new Map<number, never>()
  const writer = openWriter(deps, job, (error) => stop.abort(error))
  let failed = 0
  const embedLine = async (line: ItemListLine): Promise<void> => {
    const outcome = await embedOne(deps, job, line, {
      priority: run.priority,
      signal,
      inHand,
      leftover: leftovers.get(line.ordinal)
    })
    if ('failure' in outcome) failed += 1
    writer.add(toEntry(line, outcome))
  }
  const results = await Promise.allSettled(
    lines.map((line) =>
      embedLine(line).catch((error: unknown) => {
        // The first error ends the chunk. Items that are already embedded are still written.
        stop.abort(error)
        throw error
      })
    )
  )
  // Without this flush, the next worker of the chunk would suspect pictures that are finished.
  await inHand.flush()
  await writer.close()
  if (signal.aborted) throw signal.reason
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return { embedded: lines.length - failed, failed }
}

/** Opens the writer of a chunk, which closes it. */
function openWriter(
  { store, model, announce, openShared }: ChunkDeps,
  { collectionId, ingestion, embedding, inline }: ChunkJob,
  onError: (error: unknown) => void
): PartWriter {
  if (inline !== undefined)
    return openShared({ collectionId, ingestion, revision: inline.revision, embedding, onError })
  return createPartWriter({
    store,
    keys: collectionKeys(collectionId),
    header: {
      collectionId,
      ingestion,
      embeddingVersion: embedding.version,
      dim: embedding.dim,
      rawDim: model.rawDim
    },
    announce: (key) => announce(collectionId, key),
    onError
  })
}

async function embedOne(
  deps: ChunkDeps,
  { enrolment, embedding }: ChunkJob,
  line: ItemListLine,
  context: EmbedItemContext
): Promise<ItemOutcome> {
  if (line.failure !== undefined) return { failure: line.failure }
  if (line.imageKey === null)
    return { failure: { code: 'image_missing', message: 'no picture was stored for this item' } }
  return deps.embedItem(
    line,
    { kind: 'item', itemId: line.id, imageKey: line.imageKey, enrolment, embedding },
    context
  )
}

function toEntry(line: ItemListLine, outcome: ItemOutcome): PartEntry {
  const { ordinal, id, label, metadata, imageKey, line: listLine } = line
  const item: BatchItem = {
    ordinal,
    id,
    label,
    imageKey,
    rows: [],
    ...(metadata && { metadata }),
    ...(listLine !== undefined && { line: listLine })
  }
  if ('failure' in outcome)
    return {
      item: { ...item, failure: outcome.failure },
      vectors: new Float32Array(0),
      raw: new Uint16Array(0)
    }
  const { width, height, rows, vectors, raw } = outcome.embedded
  const batchRows = rows.flatMap(({ kind, ...row }) =>
    kind === 'given' || kind === 'tile' ? [] : [{ kind, ...row }]
  )
  return { item: { ...item, width, height, rows: batchRows }, vectors, raw }
}
