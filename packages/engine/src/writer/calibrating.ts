// Calibrations of one writer: learned from a committed version while commits go on, named by a
// commit.
import { isAppError } from '@likeness/shared/errors'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import type { CalibrationTask } from '../calibration/build-calibration.ts'
import type { WriterState } from '../apply/writer-state.ts'
import type { CalibrationRef } from '../state/calibration-ref.ts'
import { manifestFiles, type Manifest } from '../version/manifest.ts'
import type { CollectionState } from './collection-state.ts'
import { type BegunWork, WorkBeside } from './work-beside.ts'

/** Items from which a collection is calibrated. */
const fewestItems = 24
/** Growth at which it is learned again: at once, and when no ingestion is open. */
const [doubled, grown] = [2, 1.1]
/** One that takes longer is given up: its file may be deleted from then on. */
const limitMs = 600_000

interface BegunCalibration extends BegunWork {
  task: CalibrationTask
}

export class Calibrating {
  private readonly collection: CollectionState
  private readonly work: WorkBeside<BegunCalibration>
  /** Whether the collection is about to be made again. */
  private readonly isBlocked: () => boolean

  constructor(collection: CollectionState, isBlocked: () => boolean) {
    this.collection = collection
    this.isBlocked = isBlocked
    this.work = new WorkBeside(collection.deps.clock, limitMs)
  }

  /** Ids and keys of files that are read or written. These files are not garbage. */
  heldIds(): ReadonlySet<string> {
    return this.work.heldIds()
  }

  /**
   * Learns the calibration when that is due. Returns false when it was not, or the result could not
   * be used. Rejects with ownership_lost, or with an error of the build; then this writer goes on,
   * and it may be tried again.
   */
  async calibrate(): Promise<boolean> {
    const { collection } = this
    const { buildCalibration: build } = collection.deps
    if (build === undefined) return false
    const begun = await collection.exclusively(async () => this.begin())
    if (begun === undefined) return false
    try {
      const ref = await collection.fenced(() => build(begun.task, begun.abort.signal))
      return await collection.exclusively(() => this.adopt(begun, ref))
    } catch (error) {
      // A commit emptied a segment, and its files were collected.
      if (isAppError(error, 'object_not_found') && !this.work.isUnderWay(begun)) return false
      throw error
    } finally {
      this.work.end(begun)
    }
  }

  private begin(): BegunCalibration | undefined {
    const { state, manifest, current, deps } = this.collection
    if (state.dirty || this.isBlocked() || this.work.isRunning) return undefined
    if (!isDue(state, manifest)) return undefined
    const calibrationId = deps.newId()
    const { manifest: key, sha256 } = current
    const { collectionId, clock } = deps
    const nowMs = clock.nowMs()
    return this.work.begin({
      task: { collectionId, version: { key, sha256 }, calibrationId, nowMs },
      held: new Set([calibrationId, key, ...manifestFiles(manifest)]),
      beganAtMs: nowMs,
      abort: new AbortController()
    })
  }

  private async adopt(begun: BegunCalibration, ref: CalibrationRef): Promise<boolean> {
    const { collection } = this
    const { state } = collection
    if (!this.work.isUnderWay(begun) || this.isBlocked() || !isOf(state, ref)) return false
    state.calibration = ref
    state.dirty = true
    await collection.commit()
    return true
  }
}

/** Whether scores still come from the embedding and the weights that it was learned with. */
function isOf({ spec }: Pick<WriterState, 'spec'>, { embedding, parts }: CalibrationRef): boolean {
  const weights = weightedParts(spec).map(({ weight }) => weight)
  return (
    spec.embedding.version === embedding &&
    weights.length === parts.length &&
    weights.every((weight, i) => weight === parts[i])
  )
}

function isDue(state: WriterState, { counts: { items } }: Manifest): boolean {
  if (items < fewestItems) return false
  const { calibration, ingestions } = state
  if (calibration === undefined || !isOf(state, calibration)) return true
  const isOpen = ingestions.oldest !== Infinity
  const change = Math.max(items / calibration.items, calibration.items / items)
  return change >= (isOpen ? doubled : grown)
}
