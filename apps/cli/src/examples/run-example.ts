// `likeness example`: draws the pictures of an example, builds the gallery from the yaml, asks
// every query, and reports the figures.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawExampleSet, type ExampleSet } from '@likeness/drawing/example-set'
import { logoSet } from '@likeness/drawing/logo/logo-set'
import { productSet } from '@likeness/drawing/product/product-set'
import { vehicleSet } from '@likeness/drawing/vehicle/vehicle-set'
import { sha256Hex } from '@likeness/shared/data/sha256'
import type { ApiClient } from '../api/api-client.ts'
import type { Command, CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { collectionNameOf } from '../gallery-config/collection-name.ts'
import { fingerprintList } from '../gallery-config/data-list.ts'
import { type GalleryConfig, loadGalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { buildGallery, type BuildSummary } from '../gallery/build-gallery.ts'
import { readRecord } from '../gallery/build-record.ts'
import { describe } from '../gallery/run-build.ts'
import { createProgress } from '../progress.ts'
import { searchPicture } from '../search/search-picture.ts'
import { renderSearchSheet, type SheetEntry } from '../search/search-sheet.ts'
import { repositoryRoot } from '../stack/app-process.ts'
import { type ExampleName, type ExampleOptions, parseExampleOptions } from './example-options.ts'
import { type ExampleQuery, readQueryList } from './example-query.ts'
import { type ExamplePictures, openFolder } from './folder-pictures.ts'
import { formatExample, formatExampleJson, msPerQuery } from './format-example.ts'
import { chooseThreshold, scoreGallery } from './gallery-scores.ts'
import type { Answered } from './judge.ts'
import { openLabelled } from './labelled-pictures.ts'

const sets: Record<ExampleName, () => ExampleSet> = {
  product: productSet,
  vehicle: vehicleSet,
  logo: logoSet
}

/** Exit code 0 when every picture of the gallery is in; 1 when a picture failed. */
export const runExample: Command = async (args, context) => {
  const options = parseExampleOptions(args)
  const { config, queries } = await openExample(options, context)
  const api = await connect(context, { ...options, importRoots: [config.imageRoot] })
  const summary = await build(api, config, options, context)
  context.print(describe(summary))
  if (options.threshold) {
    await printThreshold(api, config, context)
    return summary.failed === 0 ? 0 : 1
  }
  const answers = await ask({ api, config, queries, minSeq: summary.seq, options, context })
  context.print(`\n${formatExample(answers)}\n`)
  context.print(
    `score_thres ${config.scoreThres ?? 'none'}; ${msPerQuery(answers)?.toFixed(0) ?? '-'} ms a query (median), one at a time`
  )
  if (options.json)
    context.print(
      formatExampleJson({ example: options.example, gallery: summary.indexed, answers })
    )
  return summary.failed === 0 ? 0 : 1
}

/**
 * Loads the yaml with its pictures: the example's own, drawn when missing, or the pictures that the
 * user names.
 */
async function openExample(
  options: ExampleOptions,
  context: CommandContext
): Promise<{ config: GalleryConfig; queries: ExampleQuery[] }> {
  const { example, images, labels } = options
  const config = await loadGalleryConfig(
    join(repositoryRoot, 'examples', example, `${example}.yaml`),
    { overrides: options.override }
  )
  for (const warning of config.warnings) context.say(warning)
  const { fields } = config
  const own = images ?? labels
  if (own === undefined) {
    const progress = createProgress({ label: 'drawing  ', unit: 'pictures' }, context)
    await drawExampleSet(sets[example](), config.imageRoot, (done, total) =>
      progress.show(done, total)
    )
    progress.done()
    return {
      config,
      queries: await readQueryList(join(config.imageRoot, 'queries.txt'), {
        root: config.imageRoot,
        fields
      })
    }
  }
  const workDir = join(
    options.data === undefined ? dataHome() : fromCallersFolder(options.data),
    'examples',
    `${example}-${sha256Hex(`${own} ${options.roles.join()}`).slice(0, 8)}`
  )
  const pictures =
    images === undefined
      ? await openLabelledSet(labels!, options, workDir, context)
      : await openFolder(images, { workDir, fields, say: context.say })
  const indexDir = join(workDir, 'index')
  return {
    config: {
      ...config,
      imageRoot: pictures.imageRoot,
      dataFile: pictures.dataFile,
      indexDir,
      collection: collectionNameOf(indexDir)
    },
    queries: pictures.queries
  }
}

async function openLabelledSet(
  file: string,
  { roles }: ExampleOptions,
  workDir: string,
  context: CommandContext
): Promise<ExamplePictures> {
  const progress = createProgress({ label: 'reading  ', unit: 'pictures' }, context)
  const pictures = await openLabelled({
    file,
    roles,
    workDir,
    onProgress: (done, total) => progress.show(done, total),
    say: context.say
  })
  progress.done()
  return pictures
}

/**
 * Builds the gallery; a changed list builds it anew, because an example's gallery holds only this
 * list.
 */
async function build(
  api: ApiClient,
  config: GalleryConfig,
  { force }: ExampleOptions,
  context: CommandContext
): Promise<BuildSummary> {
  const list = await fingerprintList(config)
  const isOther = (await readRecord(config.indexDir))?.fingerprint !== list.sha256
  return buildGallery({
    api,
    config,
    operation: 'new',
    list,
    force: force || isOther,
    progress: createProgress({ label: 'building ', unit: 'images' }, context),
    say: context.say
  })
}

interface Asking {
  api: ApiClient
  config: GalleryConfig
  queries: readonly ExampleQuery[]
  minSeq: number
  options: ExampleOptions
  context: CommandContext
}

async function ask({
  api,
  config,
  queries,
  minSeq,
  options,
  context
}: Asking): Promise<Answered[]> {
  const progress = createProgress({ label: 'searching', unit: 'queries' }, context)
  const answers: Answered[] = []
  const entries: SheetEntry[] = []
  for (const query of queries) {
    const image = await readFile(query.file)
    const startedMs = performance.now()
    const answer = await keepTrying(() =>
      searchPicture(api, config, image, { fields: query.fields, minSeq })
    )
    answers.push({ query, objects: answer.objects, ms: performance.now() - startedMs })
    if (options.sheet !== undefined)
      entries.push({
        name: `${query.name}: ${query.labels.join(', ') || 'unknown'}`,
        image,
        answer
      })
    progress.show(answers.length, queries.length)
  }
  progress.done()
  if (options.sheet !== undefined) {
    await writeFile(
      options.sheet,
      await renderSearchSheet(api, `${options.example}: ${entries.length} queries`, entries)
    )
    context.say(`sheet: ${options.sheet}`)
  }
  return answers
}

async function printThreshold(
  api: ApiClient,
  config: GalleryConfig,
  context: CommandContext
): Promise<void> {
  const progress = createProgress({ label: 'comparing', unit: 'pictures' }, context)
  const scores = await scoreGallery({
    api,
    config,
    onProgress: (done, total) => progress.show(done, total)
  })
  progress.done()
  const { threshold, rightAnswered, strangersRefused } = chooseThreshold(scores)
  const spread = (values: readonly number[]): string =>
    [0.05, 0.25, 0.5, 0.75, 0.95]
      .map((part) =>
        ([...values].sort((a, b) => a - b)[Math.floor(part * values.length)] ?? NaN).toFixed(3)
      )
      .join('  ')
  context.print(
    `\nbest score or margin                5 %    25 %    50 %    75 %    95 %\nof the same thing (${String(scores.same.length).padStart(5)} labels)   ${spread(scores.same)}\nof other things   (${String(scores.stranger.length).padStart(5)} labels)   ${spread(scores.stranger)}`
  )
  context.print(
    `the same thing scores highest for ${scores.right.length} of ${scores.same.length} labels, each asked with its picture that is least like the others`
  )
  context.print(
    `score_thres ${threshold.toFixed(2)}: ${(100 * rightAnswered).toFixed(1)} % of the labels are answered rightly, ${(100 * strangersRefused).toFixed(1)} % of strangers refused`
  )
}
