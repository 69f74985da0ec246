// The demo's report about its searches: a table, the recall of each kind of scene, a JSON line.
import { type QueryResult, summarise, type Summary } from './run-queries.ts'

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)

const verdict = ({ label, rank }: QueryResult): string => {
  if (label === undefined) return '-'
  return rank === 1 ? 'right' : 'wrong'
}

export function formatTable(results: readonly QueryResult[]): string {
  const head = `${cut('query', 14)}  ${cut('shows', 24)}  ${cut('best label', 24)}  score  ${cut('', 5)}     ms`
  const rows = results.map((result) => {
    const best = result.hits[0]
    const score = best === undefined ? '    -' : best.score.toFixed(3)
    return `${cut(result.name, 14)}  ${cut(result.label ?? '?', 24)}  ${cut(best?.label ?? '(unknown)', 24)}  ${score}  ${cut(verdict(result), 5)}  ${result.ms.toFixed(0).padStart(5)}`
  })
  return [head, '-'.repeat(head.length), ...rows].join('\n')
}

/** Formats all hits of a single query. */
export const formatHits = ({ hits }: QueryResult): string =>
  hits.length === 0
    ? 'nothing like it in the gallery'
    : hits
        .map(
          (hit, at) =>
            `${at + 1}. ${cut(hit.label ?? hit.id, 32)} ${hit.score.toFixed(3)}  ${hit.id}`
        )
        .join('\n')

const part = (value: number | null): string => (value === null ? '-' : value.toFixed(3))

/** A line for each kind, then for all. */
export function formatRecall(
  results: readonly QueryResult[],
  kindOf: (result: QueryResult) => string
): string {
  const kinds = [...new Set(results.map(kindOf))].sort()
  const line = (name: string, some: readonly QueryResult[]): string => {
    const { recallAt1, recallAt5, queries } = summarise(some)
    return `${name.padEnd(10)} R@1 ${part(recallAt1)}  R@5 ${part(recallAt5)}  (${queries} queries)`
  }
  return [
    ...kinds.map((kind) =>
      line(
        kind,
        results.filter((result) => kindOf(result) === kind)
      )
    ),
    line('all', results)
  ].join('\n')
}

const rounded = (value: number | null, digits: number): number | null =>
  value === null ? null : Number(value.toFixed(digits))

export interface DemoNumbers extends Summary {
  imported: number
  failed: number
  imagesPerSecond: number
}

/** The line of --json: these keys, in this order. */
export function formatJson({
  imported,
  failed,
  imagesPerSecond,
  queries,
  recallAt1,
  recallAt5,
  searchP50Ms
}: DemoNumbers): string {
  return JSON.stringify({
    imported,
    failed,
    imagesPerSecond: rounded(imagesPerSecond, 2),
    queries,
    recallAt1: rounded(recallAt1, 4),
    recallAt5: rounded(recallAt5, 4),
    searchP50Ms: rounded(searchP50Ms, 1)
  })
}
