// `likeness build|append|remove`: puts the list of a gallery's yaml into the collection, or takes
// it out.
import { relative } from 'node:path'
import { galleryOptions, galleryUsage, parseCommand, required } from '../command-options.ts'
import type { Command, CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { fingerprintList } from '../gallery-config/data-list.ts'
import { loadGalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { createProgress } from '../progress.ts'
import { printable } from '../search/format-answer.ts'
import { buildGallery, type BuildSummary } from './build-gallery.ts'
import { removeItems } from './remove-items.ts'
import type { LineFailure } from './submit-parts.ts'

type Operation = 'build' | 'append' | 'remove'

const what: Record<Operation, string> = {
  build: 'does what index_operation says, by default builds a new gallery',
  append: 'adds the list to the gallery; items that it holds are replaced',
  remove: 'takes the items of the list out of the gallery, by path'
}
export const usageOf = (
  operation: Operation
): string => `likeness ${operation} -c FILE.yaml [options]      ${what[operation]}
${operation === 'remove' ? '' : '  --force        wipes what the gallery holds and builds it anew\n'}${galleryUsage}`

const failuresShown = 50

export const runBuild: Command = (args, context) => run('build', args, context)
export const runAppend: Command = (args, context) => run('append', args, context)
export const runRemove: Command = (args, context) => run('remove', args, context)

/** Exit code 0 when every line is in (or out); 1 when a line failed. */
async function run(
  operation: Operation,
  args: readonly string[],
  context: CommandContext
): Promise<number> {
  const usage = usageOf(operation)
  const { values } = parseCommand(args, {
    options: { ...galleryOptions, force: { type: 'boolean', default: false } },
    usage
  })
  const config = await loadGalleryConfig(
    fromCallersFolder(required(values.config, '-c FILE', usage)),
    { overrides: values.override }
  )
  for (const warning of config.warnings) context.say(warning)
  const wanted = operation === 'build' ? (config.operation ?? 'new') : operation
  const list = relative(fromCallersFolder('.'), config.dataFile)
  // Problems of the list are reported before any process starts.
  const fingerprint = await fingerprintList(config)
  if (wanted === 'remove') {
    const progress = createProgress({ label: 'removing ', unit: 'lines' }, context)
    const summary = await removeItems({
      api: await connect(context, values),
      config,
      progress,
      total: fingerprint.lines
    })
    context.print(
      `${summary.removed} of ${summary.listed} items removed from ${summary.collection}`
    )
    printFailures(context, list, summary.failures, summary.failures.length)
    if (values.json)
      context.print(
        JSON.stringify({
          collection: summary.collection,
          listed: summary.listed,
          removed: summary.removed,
          failed: summary.failures.length
        })
      )
    return summary.failures.length === 0 ? 0 : 1
  }
  const api = await connect(context, { ...values, importRoots: [config.imageRoot] })
  const progress = createProgress({ label: 'building', unit: 'images' }, context)
  const summary = await buildGallery({
    api,
    config,
    operation: wanted,
    list: fingerprint,
    force: values.force,
    progress,
    say: context.say
  })
  context.print(describe(summary))
  printFailures(context, list, summary.failures, summary.failed)
  if (values.json) context.print(formatJson(summary))
  return summary.failed === 0 ? 0 : 1
}

export function describe(
  {
    collection,
    total,
    indexed,
    superseded,
    failed,
    duplicates,
    wasDone,
    imagesPerSecond,
    seconds
  }: BuildSummary,
  noun: 'pictures' | 'items' = 'pictures'
): string {
  const parts = [
    `${indexed} of ${total} ${noun} can be found`,
    ...(superseded > 0 ? [`${superseded} were replaced or removed meanwhile`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(duplicates > 0 ? [`${duplicates} repeated lines skipped`] : [])
  ]
  if (wasDone)
    return `${collection}: this list was built before, nothing to do (${parts.join(', ')}; --force builds it anew)`
  return `${collection}: ${parts.join(', ')}; ${imagesPerSecond.toFixed(1)} ${noun === 'pictures' ? 'images' : noun}/s, ${seconds.toFixed(1)} s`
}

export function printFailures(
  { print }: CommandContext,
  list: string,
  failures: readonly LineFailure[],
  total: number
): void {
  for (const { line, code, message } of failures.slice(0, failuresShown))
    print(`  ${list}:${line}: ${code}: ${printable(message)}`)
  const more = total - Math.min(failures.length, failuresShown)
  if (failures.length > 0 && more > 0) print(`  and ${more} more: \`likeness jobs ID\` lists them`)
}

export function formatJson({
  collection,
  total,
  indexed,
  superseded,
  failed,
  duplicates,
  wasDone,
  jobs,
  seconds,
  imagesPerSecond,
  seq
}: BuildSummary): string {
  const rounded = {
    seconds: Number(seconds.toFixed(2)),
    imagesPerSecond: Number(imagesPerSecond.toFixed(2))
  }
  return JSON.stringify({
    collection,
    total,
    indexed,
    superseded,
    failed,
    duplicates,
    wasDone,
    jobs,
    seq,
    ...rounded
  })
}
