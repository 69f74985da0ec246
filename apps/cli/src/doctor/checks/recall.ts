// Searches that miss items which an exact search finds.
import type { CollectionCheck, Subject } from '../check.ts'
import { changeSettings } from '../commands.ts'
import { hasBudget, type RecallAt } from '../facts/measure-recall.ts'

/** Without a `target_recall`. */
const usualTarget = 0.9
const mostBudget = 4096

/** What chance may take off a share of so many places. */
const chance = (share: number, places: number): number =>
  2 * Math.sqrt((share * (1 - share)) / places)

/** The least budget of 8, 16, 32, ... that reaches the target. */
async function leastBudget(recallAt: RecallAt, target: number): Promise<number | undefined> {
  for (let budget = 8; budget <= mostBudget; budget *= 2)
    if ((await recallAt(budget))!.recall >= target) return budget
  return undefined
}

export const targetOf = ({ settings }: Subject['collection']): number =>
  Number(settings['target_recall'] ?? usualTarget)

export const recall: CollectionCheck = {
  id: 'recall',
  complaint: 'wrong',
  async examine({ api, collection, facts: { recallAt } }) {
    if (!hasBudget(collection.segments)) return undefined
    const target = targetOf(collection)
    const usual = await recallAt()
    if (usual === undefined || usual.recall >= target - chance(target, usual.places))
      return undefined
    const { name, settings } = collection
    const enough = await leastBudget(recallAt, target)
    const given = settings['search_budget']
    return {
      found: `recall@10 is ${usual.recall.toFixed(3)} against exact search, the target is ${target}${given === undefined ? '' : `; search_budget is ${Number(given)}`}`,
      says:
        enough === undefined
          ? 'No search budget reaches the target: the codes of the storage may lose it. Build the collection anew with `rescore`, or with a finer storage.'
          : `Near items are missed. A search budget of ${enough} reaches the target.`,
      type: [
        enough === undefined
          ? 'likeness build -c GALLERY.yaml -o Likeness.storage=f16'
          : changeSettings(api.url, name, { search_budget: enough })
      ]
    }
  }
}
