// `likeness eval`: imports the gallery of a labelled set, asks every query through the API, and
// reports the figures.
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Filter } from '@likeness/shared/contract/filter'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { standingOf } from '@likeness/shared/contract/margin'
import type { ApiClient } from '../api/api-client.ts'
import type { Command, CommandContext } from '../command.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { chooseThreshold, scoreGallery, thresholdForRate } from '../examples/gallery-scores.ts'
import { fingerprintList } from '../gallery-config/data-list.ts'
import { buildGallery } from '../gallery/build-gallery.ts'
import { describe } from '../gallery/run-build.ts'
import { createProgress } from '../progress.ts'
import { searchPicture } from '../search/search-picture.ts'
import { renderSearchSheet, type SheetEntry } from '../search/search-sheet.ts'
import { formatWeights } from '../weights-option.ts'
import { type EvalOptions, parseEvalOptions } from './eval-options.ts'
import { type EvaluationSet, openEvaluationSet, sampleList } from './evaluation-set.ts'
import { askTwice } from './ask-twice.ts'
import { awaitCalibration } from './await-calibration.ts'
import { formatEval, formatEvalJson, msPerQuery } from './format-eval.ts'
import { formatReliability } from './format-reliability.ts'
import { figuresOf, type RankedAnswer, rankOf } from './ranked-figures.ts'
import { reliabilityFigures } from './reliability-figures.ts'
import { renderReliability } from './reliability-svg.ts'

/** Number of gallery pictures that a threshold is chosen from. */
const thresholdSample = 100
/**
 * Number of accepted strangers to aim for, when a rate is given. More probes are asked for a lower
 * rate, as far as an hour allows.
 */
const strangersAccepted = 20
const mostProbes = 1000
const hitsShown = 3

/** Exit code 1 when a gallery picture failed, or R@1 is below --min-r1. */
export const runEval: Command = async (args, context) => {
  if (args.includes('--detect')) return (await import('./run-detect.ts')).runDetect(args, context)
  const options = parseEvalOptions(args)
  const reading = createProgress({ label: 'reading  ', unit: 'pictures' }, context)
  const set = await openEvaluationSet(options, {
    say: context.say,
    onProgress: (done, total) => reading.show(done, total)
  })
  reading.done()
  await context.prepare()
  const { connectForEvaluation } = await import('./evaluation-model.ts')
  const api = await connectForEvaluation(options, set, context)
  const list = await fingerprintList(set.config)
  const summary = await buildGallery({
    api,
    config: set.config,
    operation: 'new',
    list,
    force: true,
    progress: createProgress({ label: 'building ', unit: 'images' }, context),
    say: context.say
  })
  context.print(describe(summary))
  for (const { path, code, message } of summary.failures.slice(0, 20))
    context.print(`  ${path}: ${code}: ${message}`)
  const threshold =
    options.scoreThres === 'auto' || options.falseAccept !== undefined
      ? await thresholdOf(api, set, options.falseAccept, context)
      : options.scoreThres
  if (!(await awaitCalibration(api, set.config.collection)))
    context.say('the collection has not learned how sure its answers are: a prior is used')
  const { answers, entries } = await ask({
    api,
    set,
    minSeq: summary.seq,
    threshold,
    keepsWrong: options.sheet !== undefined,
    asksStrangers: options.asksStrangers,
    context
  })
  const figures = { threshold, galleryCounts: set.galleryCounts }
  const made = await api.getCollection(set.config.collection)
  const { embedding, weights = null } = made ?? {}
  context.print(
    `\n${basename(options.folder)}: ${summary.indexed} in the gallery, ${options.index}, ${embedding?.version ?? '-'}, ${weights === null ? '' : `weights ${formatWeights(weights)}, `}score_thres ${threshold ?? 'none'}\n`
  )
  context.print(
    `${formatEval(answers, figures, set)}\n${msPerQuery(answers)?.toFixed(0) ?? '-'} ms a query (median), one at a time`
  )
  context.print(`\n${formatReliability(answers)}`)
  if (options.sheet !== undefined) {
    await writeSheet(options.sheet, { api, options, entries, context })
    await writeFile(
      `${options.sheet}.svg`,
      renderReliability(reliabilityFigures(answers), basename(options.folder))
    )
  }
  const { r1 } = figuresOf(answers, figures)
  const isGood = options.minR1 === undefined || (r1 !== null && r1 >= options.minR1)
  if (!isGood) context.print(`R@1 is below ${options.minR1}`)
  if (options.json) context.print(formatEvalJson(answers, figures))
  return summary.failed === 0 && isGood ? 0 : 1
}

/**
 * Chooses the threshold for the requested rate. Without a rate, chooses the threshold with the most
 * right answers kept and strangers refused.
 */
async function thresholdOf(
  api: ApiClient,
  set: EvaluationSet,
  rate: number | undefined,
  context: CommandContext
): Promise<number> {
  const count =
    rate === undefined
      ? thresholdSample
      : Math.min(mostProbes, Math.max(thresholdSample, Math.ceil(strangersAccepted / rate)))
  const progress = createProgress({ label: 'comparing', unit: 'pictures' }, context)
  const config = await sampleList(set, count)
  const scores = await scoreGallery({
    api,
    config,
    most: count,
    onProgress: (done, total) => progress.show(done, total)
  })
  progress.done()
  const { threshold, rightAnswered, strangersRefused } =
    rate === undefined ? chooseThreshold(scores) : thresholdForRate(scores, rate)
  context.print(
    `score_thres ${threshold.toFixed(3)}: of ${scores.same.length} gallery pictures ${(100 * rightAnswered).toFixed(0)} % would be answered rightly, ${(100 * strangersRefused).toFixed(0)} % of strangers refused`
  )
  return threshold
}

interface Asking {
  api: ApiClient
  set: EvaluationSet
  minSeq: number
  threshold: number | undefined
  keepsWrong: boolean
  /** Asks each known query again, without its labels in the gallery. */
  asksStrangers: boolean
  context: CommandContext
}

async function ask({
  api,
  set,
  minSeq,
  threshold,
  keepsWrong,
  asksStrangers,
  context
}: Asking): Promise<{ answers: RankedAnswer[]; entries: SheetEntry[] }> {
  const progress = createProgress({ label: 'searching', unit: 'queries' }, context)
  const answers: RankedAnswer[] = []
  const entries: SheetEntry[] = []
  let asked = 0
  for (const { name, file, labels, fields, kind, box } of set.queries) {
    const image = await readFile(file)
    const search = (exclude?: Filter) =>
      keepTrying(() =>
        searchPicture(api, set.config, image, {
          fields,
          minSeq,
          ...(box && { box }),
          ...(exclude && { exclude })
        })
      )
    const query = { labels, kind, asksStranger: asksStrangers }
    const { answer, ranked, stranger } = await askTwice(search, query)
    answers.push(ranked)
    if (stranger !== undefined) answers.push(stranger)
    const isRight =
      labels.length > 0
        ? rankOf(ranked, threshold) === 1
        : ranked.hits.every(({ score }) => threshold !== undefined && score < threshold)
    if (keepsWrong && !isRight)
      entries.push({
        name: `${name}: ${labels.join(', ') || 'unknown'}`,
        image,
        answer: withBestHits(answer, threshold)
      })
    progress.show(++asked, set.queries.length)
  }
  progress.done()
  return { answers, entries }
}

function withBestHits(answer: SearchAnswer, threshold = -Infinity): SearchAnswer {
  return {
    ...answer,
    objects: answer.objects.map((object) => ({
      ...object,
      hits: object.hits.filter((hit) => standingOf(hit) >= threshold).slice(0, hitsShown)
    }))
  }
}

async function writeSheet(
  file: string,
  {
    api,
    options,
    entries,
    context
  }: {
    api: ApiClient
    options: EvalOptions
    entries: readonly SheetEntry[]
    context: CommandContext
  }
): Promise<void> {
  await writeFile(
    file,
    await renderSearchSheet(
      api,
      `${basename(options.folder)}: ${entries.length} queries answered wrongly`,
      entries
    )
  )
  context.say(`sheet: ${file}`)
}
