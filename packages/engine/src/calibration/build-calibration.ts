// Learns the calibration of a committed version from the version alone, and writes it. So what an
// owner writes that is replaced meanwhile is true, and only not named.
import type { Calibration } from '@likeness/shared/confidence/calibration'
import { learnCalibration } from '@likeness/shared/confidence/learn-calibration'
import { encodeObject } from '@likeness/shared/contract/checked-object'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { labelKey } from '@likeness/shared/contract/margin'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileCache } from '../files/file-cache.ts'
import { countLabel } from '../search/label-counts.ts'
import type { SegmentView } from '../search/segment-view.ts'
import { liveItems } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { CalibrationRef } from '../state/calibration-ref.ts'
import type { FileRef } from '../state/file-ref.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { askProbe } from './ask-probe.ts'
import { chooseProbes } from './choose-probes.ts'
import { openViews } from './open-views.ts'

const probesAtOnce = 4

export interface CalibrationTask {
  collectionId: string
  /** Manifest of the version, which stays until the calibration is built. */
  version: Pick<FileRef, 'key' | 'sha256'>
  /** The name of the object holds this id. */
  calibrationId: string
  nowMs: number
}
export interface CalibrationDeps {
  store: ObjectStore
  files: Pick<SegmentFiles, 'put'>
  /** Local files that nothing else uses. */
  cache: FileCache
  logger: Logger
}
export type BuildCalibration = (
  task: CalibrationTask,
  signal?: AbortSignal
) => Promise<CalibrationRef>

/** Throws data_corrupt or object_not_found when the version is damaged or was collected. */
export async function buildCalibration(
  deps: CalibrationDeps,
  { collectionId, version, calibrationId, nowMs }: CalibrationTask
): Promise<CalibrationRef> {
  const manifest = await mustReadManifest(deps.store, version.key, version.sha256)
  const { views, close } = await openViews(deps, manifest)
  let calibration: Calibration
  try {
    calibration = await calibrate(views, manifest, nowMs)
  } finally {
    await close()
  }
  const key = collectionKeys(collectionId).calibration(calibrationId)
  const file = await deps.files.put(key, encodeObject(calibration))
  const { items, embedding, parts } = calibration
  return { ...file, items, embedding, parts }
}

async function calibrate(
  views: readonly SegmentView[],
  { spec, counts }: Manifest,
  nowMs: number
): Promise<Calibration> {
  const labels = new Map<string, Promise<number>>()
  const countOf = (key: string): Promise<number> => {
    const known = labels.get(key) ?? countKey(views, key)
    labels.set(key, known)
    return known
  }
  const items = views.reduce(
    (sum, { ref, segment: { meta }, deleted }) => sum + liveItems({ ref, meta, deleted }),
    0
  )
  const asked = { views, spec, items, countOf }
  const probes = []
  const { places, labels: seen } = await chooseProbes(views)
  for await (const probe of mapInOrder(places, probesAtOnce, (place) => askProbe(asked, place)))
    probes.push(probe)
  return learnCalibration(probes, {
    embedding: spec.embedding.version,
    parts: weightedParts(spec).map(({ weight }) => weight),
    items: counts.items,
    createdAtMs: nowMs,
    labels: seen
  })
}

/** Key of a label, as the surroundings have it. An item without a label is alone. */
async function countKey(views: readonly SegmentView[], key: string): Promise<number> {
  const { label } = JSON.parse(key) as { label?: string }
  if (label === undefined || labelKey({ id: '', label }) !== key) return 1
  const counts = await Promise.all(views.map((view) => countLabel(view, label)))
  return counts.reduce((sum, count) => sum + count, 0)
}
