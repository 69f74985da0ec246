// A search budget that is much larger than what it finds.
import type { CollectionCheck } from '../check.ts'
import { changeSettings } from '../commands.ts'
import { hasBudget } from '../facts/measure-recall.ts'
import { targetOf } from './recall.ts'

/** A smaller budget is worth a change when it is so many times smaller. */
const worthwhile = 4
/** What a smaller budget may miss of what the set one finds. */
const mostLost = 0.005

export const searchBudget: CollectionCheck = {
  id: 'search-budget',
  complaint: 'slow',
  async examine({ api, collection, facts: { recallAt } }) {
    const { name, settings, segments } = collection
    const given = settings['search_budget']
    if (typeof given !== 'number' || !hasBudget(segments)) return undefined
    const set = await recallAt(given)
    if (set === undefined) return undefined
    const least = Math.max(targetOf(collection), set.recall - mostLost)
    for (let budget = 8; budget * worthwhile <= given; budget *= 2) {
      const smaller = (await recallAt(budget))!
      if (smaller.recall < least) continue
      return {
        found: `search_budget is ${given}, with a recall@10 of ${set.recall.toFixed(3)} in ${set.ms.toFixed(1)} ms; ${budget} has ${smaller.recall.toFixed(3)} in ${smaller.ms.toFixed(1)} ms`,
        says: 'Each search looks at more rows than it needs.',
        type: [changeSettings(api.url, name, { search_budget: budget })]
      }
    }
    return undefined
  }
}
