// Asks a collection for pictures of its own items, as they were uploaded: what is boxed in them, and
// how long that takes.
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { inCollection } from '../../api/api-request.ts'
import type { ApiClient } from '../../api/api-client.ts'
import { absentWhen } from '../../api/api-problem.ts'
import type { SearchOptions } from '../../api/item-calls.ts'
import type { SampledItem } from '../../sampling/sample-items.ts'

/** Each takes a run of the model. */
const mostAsked = 8

export interface AskedPicture {
  id: string
  answer: SearchAnswer
  /** Asks once more. */
  again(options: SearchOptions): Promise<SearchAnswer>
}

/** Items that came as vectors, and those whose picture is gone, are passed over. */
export async function askPictures(
  api: Pick<ApiClient, 'search' | 'fetchBytes'>,
  collection: string,
  items: readonly SampledItem[]
): Promise<AskedPicture[]> {
  const asked: AskedPicture[] = []
  for (const { id, width } of items) {
    if (asked.length === mostAsked) break
    if (width === 0) continue
    const path = inCollection(collection, `/items/${encodeURIComponent(id)}/image`)
    const image = await api.fetchBytes(path).catch(absentWhen('object_not_found'))
    if (image === undefined) continue
    const again = (options: SearchOptions): Promise<SearchAnswer> =>
      api.search(collection, image, { k: 1, ...options })
    asked.push({ id, answer: await again({}), again })
  }
  return asked
}
