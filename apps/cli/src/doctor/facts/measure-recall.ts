// Recall@10 of a collection's own items: the answer with a search budget against an exact one, which
// compares every stored row.
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { ApiClient } from '../../api/api-client.ts'
import { median } from '../../median.ts'
import type { SampledItem } from '../../sampling/sample-items.ts'

const mostAsked = 30
export const recallK = 10
/** Scores are rounded to six digits. */
const rounding = 2e-6

export interface Recall {
  /** Part of the nearest items that is found, 0 to 1. */
  recall: number
  /** Nearest items that were looked for. */
  places: number
  /** Milliseconds of a search, the median. */
  ms: number
}
/** Without a budget: as a search that gives none. Resolves with undefined in an empty collection. */
export type RecallAt = (budget?: number) => Promise<Recall | undefined>

type Effort = number | 'exact' | undefined

interface Measured {
  api: Pick<ApiClient, 'searchByItem'>
  name: string
  items: () => Promise<readonly SampledItem[]>
}

/** Measures each budget once. */
export function recallOf({ api, name, items }: Measured): RecallAt {
  const answers = new Map<Effort, Promise<SearchAnswer[]>>()
  async function ask(effort: Effort): Promise<SearchAnswer[]> {
    const found: SearchAnswer[] = []
    for (const { id } of (await items()).slice(0, mostAsked))
      found.push(
        await api.searchByItem(name, id, {
          k: recallK,
          score_thres: -1e6,
          rerank: false,
          cohort_weight: 0,
          ...(effort === 'exact' && { exact: true }),
          ...(typeof effort === 'number' && { search_budget: effort })
        })
      )
    return found
  }
  const once = (effort: Effort): Promise<SearchAnswer[]> => {
    const asked = answers.get(effort) ?? ask(effort)
    answers.set(effort, asked)
    return asked
  }
  return async (budget) => compare(await once(budget), await once('exact'))
}

function compare(
  found: readonly SearchAnswer[],
  exact: readonly SearchAnswer[]
): Recall | undefined {
  let places = 0
  let there = 0
  for (const [i, { hits }] of exact.entries()) {
    const last = hits.at(-1)?.score ?? 0
    places += hits.length
    // Of equal scores any may be the last one.
    there += found[i]!.hits.filter(({ score }) => score >= last - rounding).length
  }
  if (places === 0) return undefined
  return {
    recall: Math.min(1, there / places),
    places,
    ms: median(found.map(({ took_ms: { search } }) => search))!
  }
}

/** Whether a segment has an index that a budget changes. */
export const hasBudget = (segments: readonly { index: string }[]): boolean =>
  segments.some(({ index }) => index === 'hnsw' || index === 'ivf')
