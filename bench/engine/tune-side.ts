// Finds the index and effort with which a side reaches the requested recall fastest.
import { leastEffort } from '@likeness/shared/data/least-effort'
import { median, recallOf } from '../measure.ts'
import type { SecondProcess } from './second-process.ts'
import type { Effort, Side } from './side.ts'

export interface TunedSide {
  index: string
  effort: Effort
  recall: number
  msP50: number
  buildMs: number
}

export interface Search {
  queries: Float32Array
  k: number
  effort: Effort
  truth: readonly ReadonlySet<number>[]
}

export async function searchOnce(reader: SecondProcess, { queries, k, effort, truth }: Search) {
  const { rows, ms, rssBytes } = await reader.ask({ ask: 'search', queries, k, effort })
  return { rows: rows!, ms: ms!, rssBytes: rssBytes!, recall: recallOf(rows!, truth) }
}

interface Wanted extends Omit<Search, 'effort'> {
  dim: number
  wanted: number
  say: (line: string) => unknown
}

/** Leaves the best index as the current index. */
export async function tuneSide(
  { side, reader }: { side: Side; reader: SecondProcess },
  { dim, wanted, say, ...search }: Wanted
): Promise<TunedSide> {
  let best: TunedSide | undefined
  let last = ''
  for await (const { name, buildMs, efforts } of side.indexes()) {
    last = name
    await reader.ask(
      best === undefined ? { ask: 'open', reader: side.reader, dim } : { ask: 'refresh' }
    )
    for (const { effort, least, most } of efforts) {
      const recallAt = async (n: number) =>
        (await searchOnce(reader, { ...search, effort: effort(n) })).recall
      const found = await leastEffort(recallAt, wanted, { least, most })
      if (found === undefined) continue
      const { ms, recall } = await searchOnce(reader, { ...search, effort: effort(found.effort) })
      const tuned = {
        index: name,
        effort: effort(found.effort),
        recall,
        msP50: median(ms),
        buildMs
      }
      say(
        `${side.name} ${name} ${JSON.stringify(tuned.effort)}: recall@10 ${recall.toFixed(4)}, ${tuned.msP50.toFixed(2)} ms, built in ${(buildMs / 1000).toFixed(1)} s`
      )
      if (best === undefined || tuned.msP50 < best.msP50) best = tuned
    }
  }
  if (best === undefined) throw new Error(`${side.name} does not reach recall ${wanted}`)
  if (best.index !== last)
    for await (const { buildMs } of side.indexes(best.index)) best.buildMs = buildMs
  return best
}
