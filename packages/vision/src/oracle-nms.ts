// Non-maximum suppression, the plain way.
import type { Box } from './letterbox.ts'
import type { DetectionDefaults } from './model-manifest.ts'
import type { Detection } from './oracle-detections.ts'

/** Those above the confidence that no better one covers, best first. */
export function suppress(detections: readonly Detection[], settings: DetectionDefaults): Detection[] {
  const candidates = detections.filter(({ score }) => score > settings.confidence)
  candidates.sort((a, b) => b.score - a.score)
  const kept: Detection[] = []
  for (const one of candidates) {
    if (kept.length === settings.maxDetections) break
    const rivals = settings.classAgnosticNms ? kept : kept.filter((other) => other.classId === one.classId)
    if (rivals.every((other) => intersectionOverUnion(one.box, other.box) <= settings.iou)) kept.push(one)
  }
  return kept
}

export function intersectionOverUnion(a: Box, b: Box): number {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]))
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]))
  const shared = width * height
  const area = (box: Box) => (box[2] - box[0]) * (box[3] - box[1])
  return shared / (area(a) + area(b) - shared)
}
