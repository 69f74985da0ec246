// Reindex: builds the next version of a collection with another embedding, beside the served
// version, until the reindex has caught up. The writer commits the result as one version like any
// other.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { type LoggedOperation, revisionOf } from '@likeness/shared/contract/operation'
import { appError, type AppError, isAppError } from '@likeness/shared/errors'
import { applyItemOperation, isItemOperation } from '../apply/apply-operation.ts'
import type { TakenBatch } from '../apply/batch-intake.ts'
import { countLive } from '../apply/prepare-commit.ts'
import { emptyWriterState, type WriterState } from '../apply/writer-state.ts'
import { readHistory, slotsBetween } from '../log/log-history.ts'
import type { OpenIngestion } from '../log/open-ingestion.ts'
import { OpenIngestions } from '../log/open-ingestions.ts'
import { adoptMerge, MergesUnderWay } from '../merge/merge.ts'
import {
  type FindEnded,
  type FoundOrigin,
  type Numbered,
  originOf,
  takeNumbers
} from '../rebuild/origin.ts'
import { lacksRaws } from '../rebuild/packed-state.ts'
import { replay, type ReplayDeps } from '../rebuild/replay.ts'
import { type BatchToTake, readsAhead, takeBatches, writeState } from '../rebuild/take-batches.ts'
import { openSegment } from '../segment/open-segment.ts'
import { TrackedMap } from '../state/tracked-map.ts'
import type { Manifest } from '../version/manifest.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { Protocol } from './protocol.ts'

export interface ReindexDeps extends ReplayDeps {
  protocol: Protocol
  /** Whether the request still holds. */
  isWanted: () => boolean
  findEnded: FindEnded
}
export interface ReindexRequest {
  /**
   * `rebuild`: the embedding stays. `number`: the same, asked by nobody: a program before 0.4 has made
   * the collection, whose arrivals have no numbers.
   */
  kind: 'reproject' | 'rebuild' | 'number'
  /** Revision of the operation; 0: there is none. */
  revision: number
  embedding: EmbeddingSpec
}

/**
 * The reindex ends without an effect. Either the request was withdrawn, or a restore has replaced
 * its input; then a new reindex is started.
 */
export class Superseded extends Error {}

export type Refusal = AppError & { code: 'raw_vectors_missing' | 'data_corrupt' }
/** Whether the error ends a request permanently. */
export const isRefusal = (error: unknown): error is Refusal =>
  isAppError(error, 'raw_vectors_missing') || isAppError(error, 'data_corrupt')

/** Returns true for Superseded, throws any other error again. */
export function mustBeSuperseded(error: unknown): true {
  if (error instanceof Superseded) return true
  throw error
}

const hasVectorsOnly = (operation: LoggedOperation): boolean =>
  operation.kind === 'ingest' && operation.given === true
const cannot = () =>
  appError(
    'raw_vectors_missing',
    'items were given with their vectors, or their raw vectors are gone: nothing else can be made of them'
  )

function copyOpen({ record }: OpenIngestion, done: string): OpenIngestion {
  return { record: { ...record }, done: OrdinalRanges.parse(done), failed: [] }
}

export class Reindex {
  readonly request: ReindexRequest
  /** Ids under which the reindex writes. They are not garbage while it runs. */
  private readonly ids = new Set<string>()
  private readonly deps: ReindexDeps
  private readonly merges: MergesUnderWay
  private readonly begun: {
    appliedSlot: number
    open: OpenIngestions
    numbered: Numbered
  }
  private origin: FoundOrigin | undefined
  private state: WriterState
  quantizer: Manifest['quantizer'] = null
  /** Batches that the collection has taken in since the start and this reindex has not. */
  private batches: TakenBatch[] = []

  /** `live`: the committed state. */
  constructor(deps: ReindexDeps, live: WriterState, request: ReindexRequest) {
    this.request = request
    const newId = (): string => {
      this.mustBeWanted()
      const id = deps.newId()
      this.ids.add(id)
      return id
    }
    const project: ReindexDeps['project'] = async (...args) => {
      this.mustBeWanted()
      return await deps.project!(...args)
    }
    this.deps = { ...deps, newId, project }
    this.merges = new MergesUnderWay({ ...deps.merging, newId })
    const open = [...live.ingestions.openAfter(0)].map(({ ingestion, open: one }) => ({
      ingestion,
      open: copyOpen(one, one.done.toString())
    }))
    this.begun = {
      appliedSlot: live.appliedSlot,
      open: new OpenIngestions(open),
      numbered: {
        history: live.history && { ...live.history },
        batches: new TrackedMap(live.batches)
      }
    }
    this.state = emptyWriterState({ ...live.spec, embedding: request.embedding })
  }

  /** Call this for each batch that the collection has taken in. */
  follow(batch: TakenBatch): void {
    this.batches.push(batch)
  }

  /** Whether many batches are waiting to be taken. */
  get isBehind(): boolean {
    return this.batches.length > readsAhead
  }

  /** Whether no other embedding can be made of what an operation brings. */
  private isBeyond(operation: LoggedOperation): boolean {
    return this.request.kind === 'reproject' && hasVectorsOnly(operation)
  }

  heldIds(): Set<string> {
    return new Set([...this.ids, ...this.merges.heldIds()])
  }

  private mustBeWanted(): void {
    if (!this.deps.isWanted()) throw new Superseded()
  }

  /**
   * Builds the state at the start of the reindex from log and batches. Later changes follow with
   * `catchUp`, and merges are the same as in the collection. Throws raw_vectors_missing, before the
   * first write, or data_corrupt when log or batches are damaged.
   */
  async build(): Promise<void> {
    const {
      deps,
      begun: { appliedSlot, open, numbered },
      state: { spec }
    } = this
    const origin = await originOf(deps, numbered)
    this.origin = origin
    const { base } = origin
    const history = await readHistory(deps, { settings: spec.settings, last: appliedSlot, base })
    const { ingestions } = history
    if (ingestions.some(({ operation }) => this.isBeyond(operation))) throw cannot()
    if (this.request.kind === 'reproject' && base !== undefined && (await lacksRaws(deps, base)))
      throw cannot()
    deps.logger.info(
      { embedding: spec.embedding.version, slot: appliedSlot, ingestions: ingestions.length },
      'making the collection again'
    )
    const done = [...open].map(([id, ingestion]): [string, string] => [
      id,
      ingestion.done.toString()
    ])
    const { findEnded } = deps
    const to = { appliedSlot, open: Object.fromEntries(done), findEnded, ...origin }
    this.state = await replay(deps, spec, to, history)
    this.state.ingestions = open
  }

  /** Applies the changes since then, up to a slot. */
  async catchUp(appliedSlot: number): Promise<void> {
    const { deps, state } = this
    const context = { rules: deps.protocol, files: deps.files }
    for await (const { slot, log } of slotsBetween(deps, state.appliedSlot, appliedSlot)) {
      for (const [index, operation] of log.operations.entries()) {
        if (operation.kind === 'restore') throw new Superseded()
        if (this.isBeyond(operation)) throw cannot()
        if (isItemOperation(operation))
          await applyItemOperation(state, operation, revisionOf(slot, index), context)
      }
      state.appliedSlot = slot
    }
    await takeBatches(deps, state, this.followed(), {
      onLost(key, error) {
        throw error ?? appError('data_corrupt', `${key} was applied, and is missing`)
      },
      write: () => writeState(deps, state)
    })
  }

  /**
   * Takes the batches to follow from their list, and of a shared batch the ingestions that were open.
   * A batch whose ingestion is unknown belongs to a later slot: the collection has applied this slot
   * without committing it yet.
   */
  private *followed(): Iterable<BatchToTake> {
    const { batches, state } = this
    let taken = 0
    const isKnown = ({ key, slot }: TakenBatch): boolean =>
      slot > 0
        ? slot <= state.appliedSlot
        : state.ingestions.has(parseBatchKey(key)?.ingestion ?? '')
    try {
      while (taken < batches.length && isKnown(batches[taken]!)) {
        const { key, only, first } = batches[taken++]!
        yield { key, only, first: this.origin?.isRenumbered === true ? undefined : first }
      }
    } finally {
      this.batches = this.batches.slice(taken)
    }
  }

  /** Does one merge if one is due. */
  async merge(): Promise<boolean> {
    const {
      deps: { buildMerge, files, protocol, logger },
      deps,
      merges,
      state
    } = this
    this.mustBeWanted()
    await writeState(deps, state)
    const proposal = merges.begin(state, { seq: 0, spec: state.spec, quantizer: this.quantizer })
    if (proposal === undefined) return false
    try {
      const { segment, quantizer } = await buildMerge(proposal.newTask(), proposal.abort.signal)
      const result = segment && (await openSegment(files, segment))
      if (!merges.isUnderWay(proposal)) return false
      this.quantizer = quantizer ?? this.quantizer
      return adoptMerge(state, proposal, result, protocol)
    } catch (error) {
      if (!isAppError(error, 'index_failed')) throw error
      this.mustBeWanted()
      logger.warn(
        { err: error },
        'merge of a new version failed: its segments are merged once it is served'
      )
      return false
    } finally {
      merges.end(proposal)
    }
  }

  /** Catches up with the committed state and returns the new state of the collection. */
  async finish(live: WriterState): Promise<WriterState> {
    const { state, deps } = this
    await deps.protocol.catchUp(async () => {
      await this.catchUp(live.appliedSlot)
      await writeState(deps, state)
      this.assertLevel(live)
    })
    const { spec, appliedSlot, ingestions, ended, pages, ...rest } = live
    const { snapshots, results, compaction, rebuilds, reprojection } = rest
    takeNumbers(state, this.origin!, live, deps.newId)
    return Object.assign(state, {
      spec: { ...spec, embedding: this.request.embedding },
      appliedSlot,
      ingestions,
      ended,
      pages,
      snapshots,
      results,
      compaction,
      rebuilds,
      reprojection,
      dirty: true
    } satisfies Partial<WriterState>)
  }

  private assertLevel(live: WriterState): void {
    if (this.batches.length > 0)
      throw new Error(`${this.batches[0]!.key} was applied, and its ingestion was never accepted`)
    const [made, had] = [countLive(this.state.segments, null), countLive(live.segments, null)]
    if (made.items !== had.items || made.rows !== had.rows)
      throw appError(
        'data_corrupt',
        `made of log and batches are ${made.items} items with ${made.rows} rows, the collection has ${had.items} with ${had.rows}`
      )
    for (const [id, { done }] of live.ingestions) {
      const mine = this.state.ingestions.get(id)
      if (mine !== undefined && mine.done.toString() !== done.toString())
        throw appError(
          'data_corrupt',
          `of ingestion ${id} are ${mine.done.toString()} made, the collection has ${done.toString()}`
        )
    }
  }
}
