// `likeness calibrate`: how often strangers are taken for known things at which threshold, from the
// gallery alone or from labelled pictures, and which threshold to use.
import { writeFile } from 'node:fs/promises'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ApiClient } from '../api/api-client.ts'
import type { Command, CommandContext } from '../command.ts'
import { connect } from '../connect/connect.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { type ReliabilityFigures, reliabilityFigures } from '../evaluation/reliability-figures.ts'
import { askedOnce } from '../evaluation/ranked-figures.ts'
import { renderReliability } from '../evaluation/reliability-svg.ts'
import type { GalleryScores } from '../examples/gallery-scores.ts'
import { createProgress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { askGallery } from './ask-gallery.ts'
import { askLabelled, type FailedPicture } from './ask-labelled.ts'
import { type CalibrateOptions, parseCalibrateOptions } from './calibrate-options.ts'
import { failedLines, pointText, reliabilityLines, sourceText } from './format-calibrate.ts'
import { keepThreshold } from './keep-threshold.ts'
import { chosenPoint, drawnCurve, printedCurve } from './threshold-curve.ts'

interface Asked {
  scores: GalleryScores
  asked: number
  figures: Omit<ReliabilityFigures, 'curve'>
  failed: FailedPicture[]
}

/** Exit code 1 when a picture could not be asked, or there is nothing to choose a threshold from. */
export const runCalibrate: Command = async (args, context) => {
  const options = parseCalibrateOptions(args)
  const api = await connect(context, {
    ...(options.api !== undefined && { api: options.api }),
    ...(options.data !== undefined && { data: options.data })
  })
  const collection = await keepTrying(() => api.getCollection(options.collection))
  if (collection === undefined) throw new UserError(`there is no collection ${options.collection}`)
  if (collection.metric === 'IP' && !collection.embedding.unit)
    throw new UserError(
      `${collection.name} compares vectors of any length by inner product, which no threshold fits: \`likeness doctor ${collection.name}\``
    )
  const { scores, asked, figures, failed } = await ask(api, collection, options, context)
  const point = chosenPoint(scores, options.falseAccept)
  // Where each label has one item, strangers alone tell of a rate.
  const isKnown =
    scores.stranger.length > 0 && (options.falseAccept !== undefined || scores.right.length > 0)
  const curve = printedCurve(scores)
  context.print(
    [
      `${collection.name}: ${collection.items} items, ${asked} asked, ${scores.stranger.length} as strangers, ${scores.right.length} answered rightly`,
      sourceText(collection),
      ...reliabilityLines({ ...figures, curve }),
      ...curve.map(pointText),
      isKnown ? `chosen: ${pointText(point)}` : 'no threshold can be chosen from so few',
      ...tooFewFor(options.falseAccept, scores),
      ...failedLines(failed)
    ].join('\n')
  )
  if (options.svg !== undefined)
    await writeFile(
      options.svg,
      renderReliability({ ...figures, curve: drawnCurve(scores) }, collection.name)
    )
  const applied = options.apply && isKnown
  if (applied) {
    await keepTrying(() => keepThreshold(api, collection, point))
    context.print(
      `kept: \`likeness search\` with a yaml takes its own: score_thres: ${point.score_thres}`
    )
  }
  if (options.json)
    context.print(
      JSON.stringify({
        collection: collection.name,
        source: options.labels === undefined ? 'gallery' : 'labels',
        asked,
        strangers: scores.stranger.length,
        ...(isKnown ? point : { score_thres: null, falseAccept: null, falseReject: null }),
        ece: figures.ece,
        curve,
        failed,
        applied
      })
    )
  return failed.length === 0 && isKnown ? 0 : 1
}

async function ask(
  api: ApiClient,
  collection: CollectionAnswer,
  { labels, falseAccept }: CalibrateOptions,
  context: CommandContext
): Promise<Asked> {
  const progress = createProgress({ label: 'asking   ', unit: 'pictures' }, context)
  const asking = {
    api,
    collection: collection.name,
    weight: Number(collection.settings['cohort_weight'] ?? 0),
    onProgress: (done: number, total: number) => progress.show(done, total)
  }
  try {
    if (labels === undefined) {
      const { reliability: bins, ece } = collection.calibration
      const answered = await askGallery({ ...asking, rate: falseAccept })
      return { ...answered, figures: { bins, ece }, failed: [] }
    }
    const { scores, answers, failed } = await askLabelled({ ...asking, labels })
    return {
      scores,
      asked: askedOnce(answers).length,
      figures: reliabilityFigures(answers),
      failed
    }
  } finally {
    progress.done()
  }
}

/** A rate below that of a few strangers is chance. */
function tooFewFor(rate: number | undefined, { stranger }: GalleryScores): string[] {
  const fewest = 3
  return rate === undefined || rate * stranger.length >= fewest
    ? []
    : [
        `${stranger.length} strangers say little of a rate of ${rate}: ${Math.ceil(fewest / Math.max(rate, 1e-3))} would`
      ]
}
