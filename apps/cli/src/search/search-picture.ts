// Searches a picture with the settings of the gallery's yaml.
import type { Filter } from '@likeness/shared/contract/filter'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { ApiClient } from '../api/api-client.ts'
import type { SearchOptions } from '../api/item-calls.ts'
import type { GalleryConfig, PictureSettings } from '../gallery-config/load-gallery-config.ts'

export type SearchConfig = Pick<
  GalleryConfig,
  | 'collection'
  | 'returnK'
  | 'scoreThres'
  | 'hammingRadius'
  | 'searchBudget'
  | 'detectorThreshold'
  | 'pictures'
>
/**
 * Known values of the picture, by field name. Hits with the same value of an `exclude` field are
 * left out.
 */
export type PictureFields = Record<string, string>

/** Below every score. */
const noThreshold = -1e6

export function searchOptionsOf(config: SearchConfig, fields: PictureFields = {}): SearchOptions {
  const { returnK, scoreThres, hammingRadius, searchBudget, detectorThreshold, pictures } = config
  return {
    k: returnK,
    // Always sent: the collection has the threshold of the yaml that built it.
    score_thres: scoreThres ?? noThreshold,
    ...(hammingRadius !== undefined && { hamming_radius: hammingRadius }),
    ...(searchBudget !== undefined && { search_budget: searchBudget }),
    detector_threshold: detectorThreshold,
    metadata: fields,
    ...asked(pictures)
  }
}

/** Sends the settings of the current yaml, which may have changed since the collection was made. */
const asked = ({
  max_objects,
  query_subjects,
  whole,
  query_views,
  tiles,
  detect_tiles,
  nms_iou,
  exclude_same,
  cohort_weight,
  rerank,
  weights
}: PictureSettings): SearchOptions =>
  Object.fromEntries(
    Object.entries({
      max_objects,
      query_subjects,
      whole,
      query_views,
      tiles,
      detect_tiles,
      nms_iou,
      exclude_same,
      cohort_weight,
      rerank,
      weights
    }).filter(([, value]) => value !== undefined)
  )

export function searchPicture(
  api: ApiClient,
  config: SearchConfig,
  image: Uint8Array,
  {
    fields,
    minSeq,
    box,
    exclude
  }: {
    fields?: PictureFields
    minSeq?: number
    box?: [number, number, number, number]
    exclude?: Filter
  } = {}
): Promise<SearchAnswer> {
  return api.search(config.collection, image, {
    ...searchOptionsOf(config, fields),
    ...(minSeq !== undefined && { min_seq: minSeq }),
    ...(box && { box }),
    ...(exclude && { exclude })
  })
}

type AnsweredObject = SearchAnswer['objects'][number]

/**
 * Returns the objects to show: every subject, and the whole picture where it is recognised or is
 * the only object. An object without hits is unknown.
 */
export function shownObjects({ objects }: Pick<SearchAnswer, 'objects'>): AnsweredObject[] {
  const subjects = objects.filter(({ kind }) => kind !== 'whole')
  return objects.filter(
    ({ kind, hits }) => kind !== 'whole' || hits.length > 0 || subjects.length === 0
  )
}
