// Recall and time of searches over the budget, and the least budget that reaches a recall. The
// truth is an exact search of the same version. Cost is bounded: fewer queries are asked where a
// search takes long.

export interface FoundHit {
  id: string
  score: number
}
export interface BudgetSearch {
  /** Ids of items to search for. */
  ids: readonly string[]
  k: number
  /** Searches by an item, without the item itself. `budget: 'exact'`: looks at every row. */
  search: (id: string, budget: number | 'exact') => Promise<readonly FoundHit[]>
  nowMs: () => number
}
export interface MeasuredBudget {
  budget: number
  recall: number
  msP50: number
  msP95: number
}
interface Truth {
  id: string
  hits: number
  /** Score of the last exact hit. A hit with this score is as good, whichever item it is. */
  least: number
}
export interface ExactAnswers {
  queries: readonly Truth[]
  msP50: number
  msP95: number
}

/** Time for the exact answers, and for each budget; the fewest queries are asked in any case. */
const mostExactMs = 45_000
const mostBudgetMs = 15_000
const fewestQueries = 20
/** Scores are rounded to six decimals. */
const precision = 1.5e-6
/** The least budget is found to this part of itself. */
const exactEnough = 0.06
/** Budgets beyond the least one, for the picture. */
const further = 2

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!

const times = (ms: number[]): { msP50: number; msP95: number } => {
  ms.sort((a, b) => a - b)
  return { msP50: percentile(ms, 0.5), msP95: percentile(ms, 0.95) }
}

/** Calls `ask` for the queries in turn until the time is over; returns the milliseconds of each. */
async function askInTime<T>(
  queries: readonly T[],
  { mostMs, nowMs }: { mostMs: number; nowMs: () => number },
  ask: (query: T) => Promise<unknown>
): Promise<number[]> {
  const endMs = nowMs() + mostMs
  const ms: number[] = []
  for (const query of queries) {
    if (ms.length >= fewestQueries && nowMs() > endMs) break
    const startedMs = nowMs()
    await ask(query)
    ms.push(nowMs() - startedMs)
  }
  return ms
}

/** Queries without any hit are left out: nothing can be missed there. */
export async function askExactly({ ids, k, search, nowMs }: BudgetSearch): Promise<ExactAnswers> {
  const queries: Truth[] = []
  const ms = await askInTime(ids, { mostMs: mostExactMs, nowMs }, async (id) => {
    const hits = (await search(id, 'exact')).slice(0, k)
    if (hits.length > 0) queries.push({ id, hits: hits.length, least: hits.at(-1)!.score })
  })
  return { queries, ...times(ms) }
}

export async function measureBudget(
  { k, search, nowMs }: BudgetSearch,
  { queries }: ExactAnswers,
  budget: number
): Promise<MeasuredBudget> {
  let [right, all] = [0, 0]
  const ms = await askInTime(queries, { mostMs: mostBudgetMs, nowMs }, async (truth) => {
    const hits = (await search(truth.id, budget)).slice(0, k)
    const good = hits.filter(({ score }) => score >= truth.least - precision).length
    right += Math.min(good, truth.hits)
    all += truth.hits
  })
  return { budget, recall: right / all, ...times(ms) }
}

export interface BudgetCurve {
  /** By budget, ascending. */
  points: readonly MeasuredBudget[]
  /** The least budget that reaches the recall. */
  least: MeasuredBudget | undefined
}

/**
 * Doubles the budget from `from` until the recall is reached, then looks between the last two. No
 * budget above `most` is tried.
 */
export async function findBudget(
  measure: (budget: number) => Promise<MeasuredBudget>,
  { from, most, recall }: { from: number; most: number; recall: number }
): Promise<BudgetCurve> {
  const points: MeasuredBudget[] = []
  const take = async (budget: number): Promise<MeasuredBudget> => {
    const point = await measure(budget)
    points.push(point)
    return point
  }
  let below = Math.min(from, most) - 1
  let least: MeasuredBudget | undefined
  for (let budget = Math.min(from, most); ; budget = Math.min(most, 2 * budget)) {
    const point = await take(budget)
    if (point.recall >= recall) {
      least = point
      break
    }
    if (budget === most) break
    below = budget
  }
  while (least !== undefined && least.budget - below > Math.max(1, exactEnough * least.budget)) {
    const point = await take(Math.ceil((below + least.budget) / 2))
    if (point.recall >= recall) least = point
    else below = point.budget
  }
  let last = Math.max(...points.map(({ budget }) => budget))
  for (let n = 0; least !== undefined && n < further && 2 * last <= most; n++)
    await take((last *= 2))
  points.sort((a, b) => a.budget - b.budget)
  return { points, least }
}
