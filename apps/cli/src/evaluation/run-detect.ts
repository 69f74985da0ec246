// `likeness eval --detect`: runs the model over pictures with known boxes, in this process, and
// reports how many things it finds.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '@likeness/shared/errors'
import type { Command, CommandContext } from '../command.ts'
import { modelsDirOf } from '../model/model-folders.ts'
import { createProgress } from '../progress.ts'
import { type DetectOptions, parseDetectOptions } from './detect-options.ts'
import {
  type DetectedPicture,
  type DetectionFigures,
  detectionFigures,
  judgedRecall
} from './detection-figures.ts'
import { type BoxedPicture, openDetectionSet } from './detection-set.ts'
import { formatDetection, formatDetectionJson } from './format-detection.ts'

/** Exit code 1 when a picture could not be read, or the recall is below --min-recall. */
export const runDetect: Command = async (args, context) => {
  const options = parseDetectOptions(args)
  const pictures = await openDetectionSet(options.folder)
  await context.prepare()
  const { detected, model, maxObjects } = await detectAll(pictures, options, context)
  const figures = detectionFigures(detected)
  context.print(
    `\n${basename(options.folder)}: ${detected.length} pictures, ${model}, at most ${maxObjects} boxes a picture\n`
  )
  context.print(formatDetection(figures))
  const isGood = isEnough(figures, options.minRecall)
  if (!isGood) context.print(`the recall is below ${options.minRecall}`)
  if (options.json) context.print(formatDetectionJson(figures))
  return detected.length === pictures.length && isGood ? 0 : 1
}

function isEnough(figures: DetectionFigures, least: number | undefined): boolean {
  const recall = judgedRecall(figures)
  return least === undefined || (recall !== null && recall >= least)
}

interface Detected {
  detected: DetectedPicture[]
  model: string
  maxObjects: number
}

async function detectAll(
  pictures: readonly BoxedPicture[],
  { modelDir, maxObjects, confidence, data }: DetectOptions,
  context: CommandContext
): Promise<Detected> {
  const { createEmbedder, decodeImage, prepareModel } = await import('@likeness/vision')
  const model = await prepareModel({ modelDir, cacheDir: join(modelsDirOf(data), '.prepared') })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const progress = createProgress({ label: 'detecting', unit: 'pictures' }, context)
  const detected: DetectedPicture[] = []
  try {
    for (const [at, { name, file, boxesIn }] of pictures.entries()) {
      try {
        const image = await decodeImage(await readFile(file))
        const startedMs = performance.now()
        const { subjects } = await embedder.embed(image, {
          ...(maxObjects !== undefined && { maxDetections: maxObjects }),
          ...(confidence !== undefined && { confidence })
        })
        const ms = performance.now() - startedMs
        const { width, height } = image
        const boxes = subjects.map(({ box }) => box)
        detected.push({ width, height, things: boxesIn({ width, height }), boxes, ms })
      } catch (error) {
        context.say(`${name} is left out: ${messageOf(error)}`)
      }
      progress.show(at + 1, pictures.length)
    }
  } finally {
    await embedder.close()
  }
  progress.done()
  const { name, version, detection } = model.manifest
  return {
    detected,
    model: `${name}@${version}`,
    maxObjects: maxObjects ?? detection.maxDetections
  }
}
