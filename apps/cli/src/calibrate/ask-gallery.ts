// Asks a collection for its own items: as known things, and as strangers, with their whole label left
// out. Stored vectors are searched for, and nothing is embedded.
import type { ApiClient } from '../api/api-client.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import {
  type GalleryScores,
  noThreshold,
  type PictureScores,
  scoresOf
} from '../examples/gallery-scores.ts'
import { sampleItems } from '../sampling/sample-items.ts'

const hitsAsked = 100
/** Strangers that a threshold is to let in, so that their number is not chance. */
const strangersAccepted = 20
const [fewestAsked, mostAsked] = [200, 1000]

/** Items for a rate of false accepts. */
const countFor = (rate: number | undefined): number =>
  rate === undefined || rate === 0
    ? fewestAsked
    : Math.min(mostAsked, Math.max(fewestAsked, Math.ceil(strangersAccepted / rate)))

interface Gallery {
  api: ApiClient
  collection: string
  /** Its `cohort_weight`. */
  weight: number
  rate: number | undefined
  onProgress: (done: number, total: number) => void
}

/** Items without a label are left out: nothing tells what is right for them. */
export async function askGallery({
  api,
  collection,
  weight,
  rate,
  onProgress
}: Gallery): Promise<{ scores: GalleryScores; asked: number }> {
  const items = await keepTrying(() => sampleItems(api, collection, countFor(rate)))
  const scores: GalleryScores = { same: [], stranger: [], right: [] }
  const labelled = items.flatMap(({ id, label }) => (label === null ? [] : [{ id, label }]))
  for (const [i, { id, label }] of labelled.entries()) {
    const one = await scoresOf(
      (filter) =>
        keepTrying(() =>
          api.searchByItem(collection, id, {
            k: hitsAsked,
            score_thres: noThreshold,
            ...(filter && { filter })
          })
        ),
      { label, itself: id, weight }
    )
    addScores(scores, one)
    onProgress(i + 1, labelled.length)
  }
  return { scores, asked: labelled.length }
}

export function addScores({ same, stranger, right }: GalleryScores, one: PictureScores): void {
  if (one.same !== undefined) same.push(one.same)
  if (one.stranger !== undefined) stranger.push(one.stranger)
  if (one.same !== undefined && one.isRight) right.push(one.same)
}
