// Non-maximum suppression, in plain TypeScript.
import { iouOf } from '@likeness/shared/contract/box-overlap'
import type { DetectionDefaults } from '../model/model-manifest.ts'
import type { Detection } from './oracle-detections.ts'

/** Returns detections above the confidence that no better detection covers, best first. */
export function suppress(
  detections: readonly Detection[],
  settings: DetectionDefaults
): Detection[] {
  const candidates = detections.filter(({ score }) => score > settings.confidence)
  candidates.sort((a, b) => b.score - a.score)
  const kept: Detection[] = []
  for (const one of candidates) {
    if (kept.length === settings.maxDetections) break
    const rivals = settings.classAgnosticNms
      ? kept
      : kept.filter((other) => other.classId === one.classId)
    if (rivals.every((other) => iouOf(one.box, other.box) <= settings.iou)) kept.push(one)
  }
  return kept
}
