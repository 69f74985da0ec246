// Asks a collection for some of its own items: what lies near each, without the item itself. Stored
// vectors are searched for, so nothing is embedded.
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import type { ApiClient } from '../../api/api-client.ts'
import type { SampledItem } from '../../sampling/sample-items.ts'

/** Searches of one collection. */
export const mostAsked = 120
const hitsAsked = 24
/** Below every score. */
const noThreshold = -1e6

export interface Neighbourhood {
  item: SampledItem & { label: string }
  /** Best first, whatever threshold the collection has. */
  hits: readonly HitAnswer[]
}

const isLabelled = (item: SampledItem): item is Neighbourhood['item'] => item.label !== null

/** Of labelled items alone: the others say nothing of right and wrong. */
export async function askNeighbours(
  api: Pick<ApiClient, 'searchByItem'>,
  collection: string,
  items: readonly SampledItem[]
): Promise<Neighbourhood[]> {
  const asked = items.filter(isLabelled).slice(0, mostAsked)
  const found: Neighbourhood[] = []
  for (const item of asked) {
    const { hits } = await api.searchByItem(collection, item.id, {
      k: hitsAsked,
      score_thres: noThreshold,
      rerank: false
    })
    found.push({ item, hits })
  }
  return found
}

/** The first hit with a label; undefined where no hit has one. */
export const firstOf = ({ hits }: Neighbourhood): HitAnswer | undefined =>
  hits.find(({ label }) => label !== null)

export const isRight = (neighbourhood: Neighbourhood): boolean =>
  firstOf(neighbourhood)?.label === neighbourhood.item.label
