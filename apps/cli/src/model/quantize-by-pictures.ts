// `likeness model quantize`: makes the int8 model of a float model, and reports each step.
import { join } from 'node:path'
import { createRandom } from '@likeness/drawing/seeded-random'
import { messageOf } from '@likeness/shared/errors'
import { type QuantizedEntry, quantizeModel } from '@likeness/vision'
import type { CommandContext } from '../command.ts'
import { createProgress, type Progress } from '../progress.ts'
import { readQuantizePictures } from './quantize-pictures.ts'

export interface QuantizeRequest {
  modelDir: string
  name: string
  /** Folder of pictures. */
  pictures: string
  modelsDir: string
}

const viewSeed = 31

export async function quantizeByPictures(
  { modelDir, name, pictures, modelsDir }: QuantizeRequest,
  context: CommandContext
): Promise<QuantizedEntry> {
  const { say } = context
  const read = await readQuantizePictures(pictures, (path, reason) =>
    say(`  ${path} is left out: ${messageOf(reason)}`)
  )
  const bars = new Map<string, Progress>()
  return quantizeModel({
    modelDir,
    name,
    modelsDir,
    ...read,
    cacheDir: join(modelsDir, '.prepared'),
    createRandom: () => createRandom(viewSeed),
    onProgress: (step, done, total) => {
      if (!bars.has(step))
        bars.set(step, createProgress({ label: step.padEnd(10), unit: 'pictures' }, context))
      bars.get(step)!.show(done, total)
    },
    onStep: (step, result) => {
      bars.get(step)?.done()
      say(`  ${step.padEnd(10)}  ${result}`)
    }
  })
}
