import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createRandom } from '@likeness/drawing/seeded-random'
import { createEmbedder, prepareModel, quantizeModel } from '@likeness/vision'
import { overflowsInt8 } from '@likeness/vision/fixture/internals'
import type { CommandContext } from '../../../apps/cli/src/command.ts'
import { drawGallery } from '../../../apps/cli/src/demo/draw-gallery.ts'
import { builtInDir } from '../../../apps/cli/src/model/model-folders.ts'
import { readQuantizePictures } from '../../../apps/cli/src/model/quantize-pictures.ts'
import { runModel } from '../../../apps/cli/src/model/run-model.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

let dir: string
let pictures: string
beforeAll(async () => {
  dir = temporaryFolder('quantize')
  pictures = join(dir, 'marks')
  await drawGallery({ folder: pictures, count: 120 })
})

async function run(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = []
  const context = {
    prepare: () => Promise.resolve(),
    print: (text: string) => lines.push(text),
    say: () => undefined,
    write: () => undefined,
    isTerminal: false,
    nowMs: () => 0
  } as unknown as CommandContext
  const code = await runModel([...args, '--data', dir], context)
  return { code, text: lines.join('\n') }
}

const whyNot = overflowsInt8() ? ' (NOT RUN: no VNNI, int8 is not faster here)' : ''

test.skipIf(overflowsInt8())(
  `the built-in model becomes a faster one that finds the same, under a version of its own${whyNot}`,
  { timeout: 300_000 },
  async () => {
    const { code, text } = await run('quantize', 'likeness-nano', '--pictures', pictures, '--json')
    const seen = JSON.parse(text.split('\n').at(-1)!) as Record<string, never>
    expect(seen).toMatchObject({
      kept: true,
      name: 'likeness-nano-int8',
      calibration: { pictures: 40 },
      convolutions: { int8: 48, float: 64 },
      detections: { pictures: 80 },
      recall: { queries: 480 }
    })
    expect(code).toBe(0)
    const folder = join(dir, 'models/likeness-nano-int8')
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
      version: string
      prepared: { manifest: { sha256: string } }
      embedding: { version: string }
      quantized: { source: { sha256: string; embedding: string } }
    }
    const source = JSON.parse(await readFile(join(builtInDir, 'manifest.json'), 'utf8')) as {
      sha256: string
    }
    expect(manifest.quantized.source).toMatchObject({
      sha256: source.sha256,
      embedding: 'likeness-nano@0.3.0/general@1'
    })
    expect(manifest.prepared.manifest.sha256.slice(0, 12)).toBe(manifest.version)
    expect(manifest.embedding.version).toBe(`likeness-nano-int8@${manifest.version}/general@1`)
    expect((await run('show', 'likeness-nano-int8')).text).toMatch(
      /int8 of +likeness-nano@0.3.0\/general@1.*\nkept +on 80 others: \d/
    )
    const embedder = await createEmbedder({
      model: await prepareModel({ modelDir: folder, cacheDir: dir }),
      executionProviders: ['cpu'],
      threads: 1
    })
    expect(
      (
        await embedder.embedWhole(
          { rgb: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64 },
          [320]
        )
      )[0]
    ).toHaveLength(embedder.manifest.rawDim)
    await embedder.close()
    await expect(run('quantize', 'likeness-nano-int8', '--pictures', pictures)).rejects.toThrow(
      'quantised already'
    )
  }
)

test('ranges from pictures that show nothing lose what the model finds: refused by a code, and nothing is left', {
  timeout: 600_000
}, async () => {
  const { calibration, heldOut } = await readQuantizePictures(pictures, () => undefined)
  const black = { rgb: new Uint8Array(64 * 64 * 3), width: 64, height: 64 }
  const modelsDir = join(dir, 'refused')
  const refused = quantizeModel({
    modelDir: builtInDir,
    cacheDir: join(dir, 'cache'),
    name: 'bad',
    modelsDir,
    createRandom: () => createRandom(1),
    onStep: () => undefined,
    onProgress: () => undefined,
    calibration: calibration
      .slice(0, 2)
      .map((one) => ({ ...one, decode: () => Promise.resolve(black) })),
    heldOut: { pictures: heldOut.pictures.slice(0, 60), references: heldOut.references.slice(0, 9) }
  })
  await expect(refused).rejects.toMatchObject({
    code: 'quality_lost',
    detail: { kept: expect.anything() as object, recall: expect.anything() as object }
  })
  expect(await readdir(modelsDir)).toEqual([])
})
