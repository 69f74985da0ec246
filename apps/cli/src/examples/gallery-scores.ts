// Scores of a gallery's own pictures against each other. A threshold is chosen from these scores,
// without any query.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { drawScene } from '@likeness/drawing/draw-scene'
import { createRandom, hashText } from '@likeness/drawing/seeded-random'
import type { Filter } from '@likeness/shared/contract/filter'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { marginOf, nearLabels, standingOf } from '@likeness/shared/contract/margin'
import type { ApiClient } from '../api/api-client.ts'
import { readDataList } from '../gallery-config/data-list.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { type PictureFields, searchOptionsOf } from '../search/search-picture.ts'

/**
 * A number for each label: for the picture that is least like the others of the label, like a
 * query. The numbers are scores, or margins where the settings ask for margins.
 */
export interface GalleryScores {
  /**
   * Best score of another picture of the same label. Where the label has a single picture: best
   * score of a scene made from that picture.
   */
  same: number[]
  /** Best score without the items of the picture's label: the picture plays a stranger. */
  stranger: number[]
  /** Values of `same` that are higher than every other label's value in the same answer. */
  right: number[]
}

export const noThreshold = -1e6
/**
 * Number of pictures asked of a gallery; their labels are spread evenly over the list. More
 * pictures would cost an hour for the third digit.
 */
const mostProbes = 120
/**
 * Fraction of the right answers that a threshold keeps where possible, and fraction of the
 * strangers that it refuses.
 */
const keptAnswers = 0.8
const refusedStrangers = 0.5

interface Probe {
  image: Uint8Array
  /** True when the picture is in the gallery: the item itself does not count as a hit. */
  isItself: boolean
}

/**
 * Makes the probe of a label. The only picture of a label has no other view in the gallery, so a
 * scene is made of the picture, the same as in the demo.
 */
async function probeOf(file: string, isOnly: boolean): Promise<Probe> {
  const image = await readFile(file)
  if (!isOnly) return { image, isItself: true }
  return {
    image: (
      await drawScene({
        picture: image,
        kind: 'plate',
        random: createRandom(hashText(file.split('/').at(-1)!))
      })
    ).jpeg,
    isItself: false
  }
}

interface Scoring {
  api: ApiClient
  config: GalleryConfig
  /** Number of pictures to ask. */
  most?: number
  onProgress: (done: number, total: number) => void
}

export async function scoreGallery({
  api,
  config,
  most = mostProbes,
  onProgress
}: Scoring): Promise<GalleryScores> {
  const labels = spread(await picturesByLabel(config), most)
  const total = labels.reduce((sum, { length }) => sum + length, 0)
  let done = 0
  const scores: GalleryScores = { same: [], stranger: [], right: [] }
  const weight =
    config.pictures.cohort_weight ??
    Number((await api.getCollection(config.collection))?.settings['cohort_weight'] ?? 0)
  for (const pictures of labels) {
    const asked: PictureScores[] = []
    for (const picture of pictures) {
      asked.push(await scorePicture({ api, config, weight }, picture, pictures.length === 1))
      onProgress(++done, total)
    }
    const { same, stranger, isRight } = asked.reduce((least, one) =>
      (one.same ?? Infinity) < (least.same ?? Infinity) ? one : least
    )
    if (same !== undefined) scores.same.push(same)
    if (stranger !== undefined) scores.stranger.push(stranger)
    if (same !== undefined && isRight) scores.right.push(same)
  }
  return scores
}

interface Picture {
  id: string
  file: string
  label: string
  fields: PictureFields
}

async function picturesByLabel(config: GalleryConfig): Promise<Picture[][]> {
  const byLabel = new Map<string, Picture[]>()
  for await (const { path, label, id = path, metadata = {}, failure } of readDataList(config)) {
    if (failure !== undefined || typeof label !== 'string') continue
    const pictures = byLabel.get(label) ?? []
    byLabel.set(label, pictures)
    pictures.push({
      id,
      file: join(config.imageRoot, path),
      label,
      fields: metadata as PictureFields
    })
  }
  return [...byLabel.values()]
}

/** Returns whole labels, evenly from the list, with about `most` pictures together. */
export function spread<T>(labels: readonly T[][], most: number): T[][] {
  const pictures = labels.reduce((sum, { length }) => sum + length, 0)
  const step = Math.max(1, pictures / most)
  return Array.from(
    { length: Math.ceil(labels.length / step) },
    (_, i) => labels[Math.floor(i * step)]!
  )
}

interface Asking extends Pick<Scoring, 'api' | 'config'> {
  weight: number
}
export interface PictureScores {
  same: number | undefined
  stranger: number | undefined
  isRight: boolean
}

async function scorePicture(
  { api, config, weight }: Asking,
  { id, file, label, fields }: Picture,
  isOnly: boolean
): Promise<PictureScores> {
  const { image, isItself } = await probeOf(file, isOnly)
  const options = { ...searchOptionsOf(config, fields), k: 100, score_thres: noThreshold }
  const search = (filter?: Filter): Promise<SearchAnswer> =>
    api.search(config.collection, image, filter === undefined ? options : { ...options, filter })
  return scoresOf(search, { label, itself: isItself ? id : undefined, weight })
}

export interface Scored {
  /** The right one. */
  label: string
  /** Id of an item that is the query itself, and no hit. */
  itself?: string | undefined
  /** `cohort_weight` of the search. */
  weight: number
}

/** `search`: without a threshold. Asked a second time where the first answer does not tell. */
export async function scoresOf(
  search: (filter?: Filter) => Promise<SearchAnswer>,
  { label, itself, weight }: Scored
): Promise<PictureScores> {
  const bestOf = ({ hits }: SearchAnswer, isSame: boolean): number | undefined => {
    const best = hits.find((hit) => (hit.label === label) === isSame && hit.id !== itself)
    return best && standingOf(best)
  }
  const answer = await search()
  const same = bestOf(answer, true) ?? bestOf(await search({ label }), true)
  const other = bestOf(answer, false)
  return {
    same,
    stranger:
      other === undefined
        ? strangerIn(await search({ label: { not: label } }), label, weight)
        : strangerIn(answer, label, weight),
    isRight: same !== undefined && same > (other ?? -Infinity)
  }
}

/**
 * Best margin of other labels when the items of the picture's label are left out. A margin also
 * depends on the neighbours.
 */
export function strangerIn(
  { objects }: SearchAnswer,
  label: string,
  weight: number
): number | undefined {
  const margins = objects.flatMap(({ hits }) => {
    const others = hits.filter((hit) => hit.label !== label)
    return others.length === 0 ? [] : [marginOf(others[0]!, nearLabels(others), weight)]
  })
  return margins.length === 0 ? undefined : Math.max(...margins)
}

const share = (
  values: readonly number[],
  isCounted: (value: number) => boolean,
  of = values.length
): number => (of === 0 ? 0 : values.filter(isCounted).length / of)

export interface ThresholdChoice {
  threshold: number
  /** Fractions of the gallery's own pictures, at this threshold. */
  rightAnswered: number
  strangersRefused: number
}

/**
 * Chooses a threshold that refuses at least half of the strangers and keeps four of five right
 * answers. Among these thresholds, in steps of .01, takes the greatest sum of both, and the lowest
 * of equals. Where no threshold does both, takes the lowest that refuses half; 1 when no threshold
 * does.
 */
export function chooseThreshold({ same, stranger, right }: GalleryScores): ThresholdChoice {
  const at = (threshold: number): ThresholdChoice => ({
    threshold,
    rightAnswered: share(right, (score) => score >= threshold, same.length),
    strangersRefused: share(stranger, (score) => score < threshold)
  })
  const worth = ({ rightAnswered, strangersRefused }: ThresholdChoice): number =>
    rightAnswered + strangersRefused
  const isKeeping = ({ threshold }: ThresholdChoice): boolean =>
    right.filter((score) => score >= threshold).length >= keptAnswers * right.length
  const [lowest, ...higher] = Array.from({ length: 101 }, (_, step) => at(step / 100)).filter(
    ({ strangersRefused }) => stranger.length === 0 || strangersRefused >= refusedStrangers
  )
  if (lowest === undefined) return at(1)
  return higher
    .filter(isKeeping)
    .reduce((best, choice) => (worth(choice) > worth(best) + 1e-9 ? choice : best), lowest)
}

/**
 * Lowest threshold at which at most `rate` of the strangers would be answered; 1 where strangers
 * look the same as known things.
 */
export function thresholdForRate(
  { same, stranger, right }: GalleryScores,
  rate: number
): ThresholdChoice {
  const answered = [...stranger].sort((a, b) => b - a)
  const allowed = Math.floor(rate * answered.length)
  // Just above the best score of the strangers that must be refused.
  const threshold = Math.min(1, (answered[allowed] ?? 0) + 1e-6)
  return {
    threshold,
    rightAnswered: share(right, (score) => score >= threshold, same.length),
    strangersRefused: share(stranger, (score) => score < threshold)
  }
}
