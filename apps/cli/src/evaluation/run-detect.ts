// `likeness eval --detect`: runs the model over pictures with known boxes, in this process, and
// reports how many things it finds.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '@likeness/shared/errors'
import type { DecodedImage, Embedder, Subject } from '@likeness/vision'
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
  const { detected, model, most } = await detectAll(pictures, options, context)
  const figures = detectionFigures(detected)
  context.print(
    `\n${basename(options.folder)}: ${detected.length} pictures, ${model}, at most ${most} boxes a picture\n`
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
  /** Most boxes of a picture. */
  most: number
}

async function detectAll(
  pictures: readonly BoxedPicture[],
  { modelDir, maxObjects, confidence, tiles, data }: DetectOptions,
  context: CommandContext
): Promise<Detected> {
  const { createEmbedder, decodeImage, prepareModel } = await import('@likeness/vision')
  const model = await prepareModel({ modelDir, cacheDir: join(modelsDirOf(data), '.prepared') })
  const most = maxObjects ?? model.manifest.detection.maxDetections
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const progress = createProgress({ label: 'detecting', unit: 'pictures' }, context)
  const detected: DetectedPicture[] = []
  try {
    for (const [at, { name, file, boxesIn }] of pictures.entries()) {
      try {
        const image = await decodeImage(await readFile(file))
        const startedMs = performance.now()
        const subjects = await findSubjects(embedder, image, { most, confidence, tiles })
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
  const { name, version } = model.manifest
  return { detected, model: `${name}@${version}`, most }
}

/** Finds subjects as a query does: in the picture, and in its tiles. */
async function findSubjects(
  embedder: Pick<Embedder, 'embed'>,
  image: DecodedImage,
  {
    most,
    confidence,
    tiles
  }: { most: number; confidence: number | undefined; tiles: readonly number[] }
): Promise<Subject[]> {
  const { detectInTiles, mergeSubjects } = await import('@likeness/vision')
  const options = { maxDetections: most, ...(confidence !== undefined && { confidence }) }
  const { subjects } = await embedder.embed(image, options)
  if (tiles.length === 0) return subjects
  const inTiles = await detectInTiles(image, tiles, (tile) => embedder.embed(tile, options))
  return mergeSubjects([...subjects, ...inTiles], most)
}
