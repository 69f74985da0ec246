// Decoding and non-maximum suppression of the v8 layout, the plain way.
import type { Box } from './letterbox.ts'
import type { DetectionDefaults } from './model-manifest.ts'

export interface Detection {
  /** Canvas pixels. */
  box: Box
  score: number
  classId: number
}

/** `output`: f32 [rows, anchors]; rows are centre x, centre y, width, height, then one per class. Best first. */
export function suppress(output: Float32Array, rows: number, anchors: number, settings: DetectionDefaults): Detection[] {
  const candidates: Detection[] = []
  for (let anchor = 0; anchor < anchors; anchor++) {
    const at = (row: number) => output[row * anchors + anchor]!
    let classId = 0
    for (let c = 1; c < rows - 4; c++) if (at(4 + c) > at(4 + classId)) classId = c
    const score = at(4 + classId)
    if (!(score > settings.confidence)) continue
    const [x, y, halfWidth, halfHeight] = [at(0), at(1), at(2) / 2, at(3) / 2]
    candidates.push({ box: [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight], score, classId })
  }
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
