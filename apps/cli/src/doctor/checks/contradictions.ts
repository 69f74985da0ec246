// Items that are nearly the same and have two labels: whichever is found, one of them is wrong.
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import type { CollectionCheck, Subject } from '../check.ts'
import { pictureUrl, relabel } from '../commands.ts'
import type { Neighbourhood } from '../facts/ask-neighbours.ts'

/** Score from which two items are the same picture, cut or compressed anew. */
const nearDuplicate = 0.98
const mostShown = 5

interface Pair {
  item: Neighbourhood['item']
  other: HitAnswer
}

/** Whether the score of two items that are the same is 1. */
const isBounded = ({ metric, embedding }: Subject['collection']): boolean =>
  metric !== 'IP' || embedding.unit

function pairsIn(neighbourhoods: readonly Neighbourhood[]): Pair[] {
  const seen = new Set<string>()
  return neighbourhoods.flatMap(({ item, hits }) =>
    hits.flatMap((other) => {
      const key = [item.id, other.id].sort().join('\n')
      const isPair =
        other.label !== null && other.label !== item.label && other.score >= nearDuplicate
      if (!isPair || seen.has(key)) return []
      seen.add(key)
      return [{ item, other }]
    })
  )
}

export const contradictions: CollectionCheck = {
  id: 'contradicting-labels',
  complaint: 'wrong',
  async examine({ api, collection, facts }) {
    if (!isBounded(collection)) return undefined
    const { name } = collection
    const asked = await facts.neighbourhoods()
    const pairs = pairsIn(asked).sort((a, b) => b.other.score - a.other.score)
    const [first] = pairs
    if (first === undefined) return undefined
    return {
      found: `${pairs.length} near-duplicates under two labels, next to ${asked.length} items that were asked`,
      says: 'A query like these finds either label. Look at the pictures, and give both the right label.',
      type: [relabel(api.url, name, [first.item.id, first.other.id])],
      examples: pairs
        .slice(0, mostShown)
        .map(
          ({ item, other }) =>
            `${item.id} (${item.label}) and ${other.id} (${other.label}), score ${other.score.toFixed(3)}: ${pictureUrl(api.url, name, item.id)} ${pictureUrl(api.url, name, other.id)}`
        )
    }
  }
}
