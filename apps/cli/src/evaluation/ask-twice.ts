// Asks for a labelled picture as it is and, for a known thing, with its labels left out: then it is a
// stranger.
import type { Filter } from '@likeness/shared/contract/filter'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { type RankedAnswer, rankedAnswer } from './ranked-figures.ts'

interface Asked extends Pick<RankedAnswer, 'labels' | 'kind'> {
  /** Whether a known thing is asked as a stranger too. */
  asksStranger: boolean
}

export async function askTwice(
  search: (exclude?: Filter) => Promise<SearchAnswer>,
  { labels, kind, asksStranger }: Asked
): Promise<{ answer: SearchAnswer; ranked: RankedAnswer; stranger?: RankedAnswer }> {
  const ask = async (asked: readonly string[], exclude?: Filter) => {
    const startedMs = performance.now()
    const answer = await search(exclude)
    const ms = performance.now() - startedMs
    return { answer, ranked: rankedAnswer(answer, { labels: asked, kind, ms }) }
  }
  const found = await ask(labels)
  if (!asksStranger || labels.length === 0) return found
  const { ranked } = await ask([], { label: { in: [...labels] } })
  return { ...found, stranger: { ...ranked, isLeftOut: true } }
}
