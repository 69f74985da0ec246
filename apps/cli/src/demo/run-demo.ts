// `likeness demo`: starts the stack, imports a gallery, searches scenes, shows the recall, and
// stops everything.
import { join } from 'node:path'
import { type ApiClient, createApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { dataHome } from '../config.ts'
import { useLocalStack } from '../connect/connect.ts'
import { builtInDir } from '../model/model-folders.ts'
import { createProgress } from '../progress.ts'
import { repositoryRoot } from '../stack/app-process.ts'
import { ownerOfDataDir } from '../stack/data-dir-lock.ts'
import { makeDataFolder } from '../stack/private-files.ts'
import { startStack } from '../stack/start-stack.ts'
import { UserError } from '../user-error.ts'
import { writeContactSheet } from './contact-sheet.ts'
import { type NamedGallery, openGallery } from './demo-gallery.ts'
import { type DemoOptions, parseDemoOptions } from './demo-options.ts'
import { openDemoStore } from './demo-store.ts'
import { importGallery } from './import-gallery.ts'
import { makeQueries, readQueryFile } from './make-queries.ts'
import { recallFloors } from './recall-floors.ts'
import { formatHits, formatJson, formatRecall, formatTable } from './report.ts'
import {
  type DemoQuery,
  type QueryResult,
  runQueries,
  summarise,
  type Summary
} from './run-queries.ts'

/**
 * Exit code 0 when the floors are reached (on the drawn scenes, where floors apply), 1 when not.
 */
export async function runDemo(args: readonly string[], context: CommandContext): Promise<number> {
  const options = parseDemoOptions(args, { root: repositoryRoot, home: dataHome() })
  const { print, say } = context
  await context.prepare()
  const gallery = await openGallery({
    ...options,
    say,
    progress: createProgress({ label: 'drawing marks ', unit: 'marks' }, context)
  })
  const queries = await openQueries(options, gallery, context)
  const api = await startDemoStack(options, gallery, context)
  print(`importing ${gallery.pictures.length} pictures as one job`)
  const progress = createProgress({ label: 'importing     ', unit: 'images' }, context)
  const { job, imagesPerSecond } = await importGallery({
    api,
    collection: gallery.collection,
    root: gallery.folder,
    listFile: gallery.listFile,
    progress
  })
  print(
    `${job.counts.indexed} can be found, ${job.counts.failed} failed, ${imagesPerSecond.toFixed(1)} images/s from request to searchable`
  )
  for (const { id, code, message } of job.failed.slice(0, 20))
    print(`  failed: ${id}: ${code}: ${message}`)
  const searching = createProgress({ label: 'searching     ', unit: 'queries' }, context)
  const onDone = (count: number): void => searching.show(count, queries.length)
  const results = await runQueries({
    api,
    collection: gallery.collection,
    queries,
    minSeq: job.seq ?? undefined,
    onDone
  })
  searching.done()
  const summary = summarise(results)
  print(describe(options, results))
  const sheet = await writeContactSheet({
    api,
    results,
    title: sheetTitle(gallery, summary),
    outDir: options.outDir
  })
  print(`contact sheet: ${sheet.html}\n               ${sheet.png}`)
  const isGood = judge(options, summary, print)
  await context.lifecycle.stop()
  if (options.json)
    print(
      formatJson({
        ...summary,
        imported: job.counts.indexed,
        failed: job.counts.failed,
        imagesPerSecond
      })
    )
  return isGood ? 0 : 1
}

async function openQueries(
  options: DemoOptions,
  gallery: NamedGallery,
  { print }: CommandContext
): Promise<DemoQuery[]> {
  if (options.query !== undefined) return [await readQueryFile(options.query)]
  print('making the query scenes: turned, sheared, on other grounds, a third of them 30 % covered')
  return makeQueries({ ...gallery, cacheDir: join(options.dataDir, 'demo/scenes') })
}

async function startDemoStack(
  options: DemoOptions,
  gallery: NamedGallery,
  context: CommandContext
): Promise<ApiClient> {
  const { lifecycle, logger, print } = context
  if (!options.s3) {
    const dataDir = join(options.dataDir, 'stack')
    mustBeFree(dataDir)
    const { apiUrl } = await useLocalStack(context, {
      dataDir,
      importRoots: [gallery.folder],
      modelDir: builtInDir
    })
    return createApiClient({ url: apiUrl })
  }
  const store = await openDemoStore({ root: repositoryRoot })
  lifecycle.onStop('object store server', () => store.stop())
  print(`starting redis, index-worker, embed-worker and api; objects are kept in ${store.name}`)
  // State in Redis belongs to the objects it was made for.
  const dataDir = join(options.dataDir, 's3')
  makeDataFolder(dataDir)
  const stack = await startStack({
    dataDir,
    objectStore: store.objectStore,
    importRoots: [gallery.folder],
    logger
  })
  lifecycle.onStop('stack', () => stack.stop())
  return createApiClient({ url: stack.apiUrl })
}

/** A stack that runs already may not read the pictures of the demo. */
function mustBeFree(dataDir: string): void {
  const owner = ownerOfDataDir(dataDir)
  if (owner !== undefined)
    throw new UserError(
      `${dataDir} is in use by process ${owner}: stop it first, or give another --data folder`
    )
}

const sheetTitle = ({ pictures }: NamedGallery, { queries, recallAt1 }: Summary): string =>
  `Likeness: ${queries} queries in ${pictures.length} pictures${recallAt1 === null ? '' : `, R@1 ${recallAt1.toFixed(3)}`}`

function describe({ query }: DemoOptions, results: readonly QueryResult[]): string {
  if (query !== undefined) return `\n${results.map(formatHits).join('\n')}\n`
  return `\n${formatTable(results)}\n\n${formatRecall(results, ({ name }) => name.split(' ')[1]!)}\n`
}

function judge(
  { images, query }: DemoOptions,
  { recallAt1, recallAt5, searchP50Ms }: Summary,
  print: (text: string) => void
): boolean {
  if (searchP50Ms !== null) print(`search p50 ${searchP50Ms.toFixed(0)} ms, one at a time`)
  if (images !== undefined || query !== undefined || recallAt1 === null || recallAt5 === null)
    return true
  const isGood = recallAt1 >= recallFloors.at1 && recallAt5 >= recallFloors.at5
  print(
    `R@1 ${recallAt1.toFixed(3)} (floor ${recallFloors.at1.toFixed(2)}), R@5 ${recallAt5.toFixed(3)} (floor ${recallFloors.at5.toFixed(2)}): ${isGood ? 'reached' : 'NOT REACHED'}`
  )
  return isGood
}
