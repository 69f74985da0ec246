// `likeness tune`: recall and time of a collection over the search budget, and the least budget
// that is enough.
import { writeFile } from 'node:fs/promises'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { listsFor } from '@likeness/shared/contract/index-memory'
import type { ApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { UserError } from '../user-error.ts'
import {
  askExactly,
  type BudgetCurve,
  type BudgetSearch,
  type ExactAnswers,
  findBudget,
  measureBudget
} from './budget-curve.ts'
import { formatBudgets, formatMethods, formatTuneJson, nameOf } from './format-tune.ts'
import { sampleRows } from './sampled-rows.ts'
import { parseTune, type TuneOptions } from './tune-options.ts'
import { renderTune } from './tune-svg.ts'
import type { MethodFigures } from './try-methods.ts'

const k = 10
const mostEfSearch = 8_192
/** A threshold that no score is below: recall is of all hits. */
const noThreshold = -1e6
/** Searches before the first that is timed: they load the collection. */
const warmUps = 3

/** Exit code 0; 1 when no budget reaches the recall, or the time. */
export async function runTune(args: readonly string[], context: CommandContext): Promise<number> {
  const options = parseTune(args)
  const api = await connect(context, options.connect)
  const collection = await api.getCollection(options.collection)
  if (collection === undefined)
    throw new UserError(
      `there is no collection ${options.collection}: \`likeness status\` lists them`
    )
  if (collection.items < 2) throw new UserError(`${collection.name} holds fewer than two items`)
  const asked = await searchesOf(api, collection, options.queries)
  context.say(`${asked.ids.length} of its items are searched for exactly`)
  for (const id of asked.ids.slice(0, warmUps)) await asked.search(id, 'exact')
  const exact = await askExactly(asked)
  const { points, least } = await curveOf(collection, asked, exact, { options, context })
  const isExact = points.length === 0
  const inTime = (least ?? exact).msP95 <= (options.p95Ms ?? Infinity)
  const reached = (isExact || least !== undefined) && inTime
  const applied = options.apply && reached && least !== undefined
  if (applied) await api.changeSettings(collection.name, { search_budget: least.budget })
  const methods = options.methods ? await compareMethods(api, collection, options, context) : []
  if (options.svg !== undefined)
    await writeFile(fromCallersFolder(options.svg), renderTune(collection.name, points, methods))
  if (options.json) {
    context.print(
      formatTuneJson({
        collection: collection.name,
        recall: options.recall,
        p95Ms: options.p95Ms ?? null,
        queries: exact.queries.length,
        points,
        exact: { msP50: exact.msP50, msP95: exact.msP95 },
        budget: least?.budget ?? null,
        reached,
        applied,
        methods
      })
    )
    return reached ? 0 : 1
  }
  if (!isExact) context.print(formatBudgets(points, least))
  context.print(verdictOf(options, { least, isExact, inTime, applied, exact }))
  if (methods.length > 0) context.print(`\n${formatMethods(methods)}`)
  return reached ? 0 : 1
}

async function searchesOf(
  api: ApiClient,
  { name }: CollectionAnswer,
  count: number
): Promise<BudgetSearch> {
  const ids: string[] = []
  const { lines } = await api.exportVectors(name, { sample: count })
  for await (const { id } of lines) ids.push(id)
  const plain = { k, score_thres: noThreshold, cohort_weight: 0, rerank: false, exclude_same: [] }
  return {
    ids,
    k,
    nowMs: () => performance.now(),
    search: async (id, budget) => {
      const effort = budget === 'exact' ? { exact: true } : { search_budget: budget }
      return (await api.searchByItem(name, id, { ...plain, ...effort })).hits
    }
  }
}

/** No points where every segment is exact, whatever the budget. */
async function curveOf(
  { segments }: CollectionAnswer,
  asked: BudgetSearch,
  exact: ExactAnswers,
  { options, context }: { options: TuneOptions; context: CommandContext }
): Promise<BudgetCurve> {
  const rowsOf = (kind: string) =>
    Math.max(0, ...segments.filter(({ index }) => index === kind).map(({ rows }) => rows))
  const [graph, lists] = [rowsOf('hnsw'), rowsOf('ivf')]
  if (graph + lists === 0) return { points: [], least: undefined }
  const measure = async (budget: number) => {
    const point = await measureBudget(asked, exact, budget)
    context.say(`budget ${budget}: recall@${k} ${point.recall.toFixed(4)}`)
    return point
  }
  // A larger segment may come to have as many lists as all rows need, with a reserve for growth.
  const most = graph > 0 ? Math.min(mostEfSearch, graph) : 4 * listsFor(lists)
  const from = graph > 0 ? k : 1
  return await findBudget(measure, { from, most: Math.max(from, most), recall: options.recall })
}

interface Verdict {
  least: BudgetCurve['least']
  isExact: boolean
  inTime: boolean
  applied: boolean
  exact: ExactAnswers
}

function verdictOf(
  { collection, recall, p95Ms }: TuneOptions,
  { least, isExact, inTime, applied, exact }: Verdict
): string {
  const late = (msP95: number) =>
    `its p95 is ${msP95.toFixed(1)} ms, not ${p95Ms}; nothing is applied`
  if (isExact)
    return `${collection}: every segment is exact, so search_budget has no effect; p50 ${exact.msP50.toFixed(1)} ms, p95 ${exact.msP95.toFixed(1)} ms${inTime ? '' : `: ${late(exact.msP95)}`}`
  if (least === undefined)
    return `${collection}: no budget reaches recall ${recall}; nothing is applied`
  if (!inTime)
    return `${collection}: search_budget ${least.budget} reaches recall ${recall}, but ${late(least.msP95)}`
  return `${collection}: search_budget ${least.budget} ${applied ? 'is set' : 'is enough'}: recall@${k} ${least.recall.toFixed(4)} of ${exact.queries.length} queries`
}

async function compareMethods(
  api: ApiClient,
  collection: CollectionAnswer,
  { recall }: TuneOptions,
  { prepare, say }: CommandContext
): Promise<MethodFigures[]> {
  if (collection.embedding.sparse)
    throw new UserError(`${collection.name} holds sparse vectors, which have one method only`)
  const sample = await sampleRows(api, collection)
  await prepare()
  const { tryMethods } = await import('./try-methods.ts')
  say(`methods are compared on ${sample.vectors.length / sample.dim} of its rows`)
  return await tryMethods(sample, {
    metric: collection.metric as 'IP',
    recall,
    k,
    onFigures: (one) => say(`${nameOf(one)}: recall@${k} ${one.recall.toFixed(4)}`)
  })
}
