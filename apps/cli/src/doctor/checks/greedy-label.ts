// A label that is the answer to most things of other labels.
import type { CollectionCheck } from '../check.ts'
import { pictureUrl } from '../commands.ts'
import { firstOf, isRight } from '../facts/ask-neighbours.ts'

const fewestWrong = 10
/** Part of the wrong answers that one label has, and labels whose items it takes. */
const greedyShare = 0.5
const fewestTaken = 3
const mostShown = 5

/** The most frequent key, and what has it. */
function largestGroup<T>(all: readonly T[], keyOf: (one: T) => string): [string, T[]] {
  const groups = new Map<string, T[]>()
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one])
  return [...groups].reduce((most, group) => (group[1].length > most[1].length ? group : most))
}

export const greedyLabel: CollectionCheck = {
  id: 'greedy-label',
  complaint: 'wrong',
  async examine({ api, collection: { name }, facts }) {
    const asked = await facts.neighbourhoods()
    const wrong = asked.flatMap((one) => {
      const hit = firstOf(one)
      return hit === undefined || isRight(one) ? [] : [{ item: one.item, hit }]
    })
    if (wrong.length < fewestWrong) return undefined
    const [label, taken] = largestGroup(wrong, ({ hit }) => hit.label!)
    const labels = new Set(taken.map(({ item }) => item.label))
    // Its own items find the things that lie under it.
    const others = wrong.filter(({ item }) => item.label !== label).length
    if (taken.length <= greedyShare * others || labels.size < fewestTaken) return undefined
    return {
      found: `${taken.length} of ${others} wrong answers are "${label}", for things of ${labels.size} other labels; ${asked.length} items were asked`,
      says: 'Pictures of it show many things, or a background that others have too. Look at them, and remove or cut those that show more than the thing.',
      type: [
        `curl -X POST '${api.url}/v1/collections/${encodeURIComponent(name)}/delete' -H 'content-type: application/json' -d '{"ids":["THE WORST OF THEM"]}'`
      ],
      examples: [...new Map(taken.map((one) => [one.hit.id, one])).values()]
        .slice(0, mostShown)
        .map(
          ({ item, hit }) =>
            `${hit.id} (${label}) is found for ${item.id} (${item.label}): ${pictureUrl(api.url, name, hit.id)}`
        )
    }
  }
}
