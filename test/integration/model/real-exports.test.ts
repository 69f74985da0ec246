import { existsSync, readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { createEmbedder } from '../../../packages/vision/src/model/embedder.ts'
import { prepareModel } from '../../../packages/vision/src/model/model-prepare.ts'
import { decodeImage } from '../../../packages/vision/src/picture/image-decode.ts'
import { compareDetections } from '../../../packages/vision/src/quantize/compare-detections.ts'
import { compareSpeed } from '../../../packages/vision/src/quantize/compare-speed.ts'
import { quantizeGraph } from '../../../packages/vision/src/quantize/quantize-graph.ts'
import { overflowsInt8 } from '../../../packages/vision/src/runtime/session.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const shared = path.resolve(import.meta.dirname, '../../../../shared')
const photographs = path.join(shared, 'data/coco/images/train2017')

const dir = temporaryFolder('quantize-real')

async function* pictures(from: number, to: number) {
  for (const name of readdirSync(photographs).sort().slice(from, to))
    yield decodeImage(await readFile(path.join(photographs, name)))
}

// Exports with opset 12 and 22, with and without attention.
for (const [name, convolutions] of Object.entries({
  'yolo11n-320': { int8: 75, float: 13 },
  'yolov8n-640': { int8: 51, float: 13 }
})) {
  const file = path.join(shared, 'models', `${name}.onnx`)
  const there = existsSync(file) && existsSync(photographs)
  const whyNot = there ? '' : ' (NOT RUN: no model or photographs in ../shared)'

  it.runIf(there)(
    `${name} in int8 finds what it found in float, in less time${whyNot}`,
    { timeout: 600_000 },
    async () => {
      const source = await prepareModel({ onnxPath: file, cacheDir: dir })
      const made = await quantizeGraph(source, { pictures: pictures(0, 16) })
      expect(made.convolutions).toEqual(convolutions)
      const model = { ...source, path: path.join(dir, `${name}-int8.onnx`) }
      await writeFile(model.path, made.bytes)
      const [float, int8] = [
        await createEmbedder({ model: source, executionProviders: ['cpu'], threads: 1 }),
        await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
      ]
      try {
        const { kept, reverse } = await compareDetections({
          float,
          int8,
          pictures: pictures(16, 40)
        })
        const ms = await compareSpeed({ float, int8 })
        console.log(
          `${name}: ${kept.found} of ${kept.boxes} boxes, ${reverse.found} of ${reverse.boxes} the other way, ${ms.float} -> ${ms.int8} ms`
        )
        expect(kept.boxes).toBeGreaterThan(30)
        // The sets have few boxes: a difference of one box is two points.
        expect(Math.min(kept.share, reverse.share)).toBeGreaterThanOrEqual(0.95)
        if (!overflowsInt8()) expect(ms.int8).toBeLessThan(ms.float)
      } finally {
        await Promise.all([float.close(), int8.close()])
      }
    }
  )
}
