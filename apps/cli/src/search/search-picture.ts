// One picture searched the way the gallery's yaml says.
import type { SearchAnswer } from '@likeness/shared/contract/http'
import type { Condition, Filter } from '@likeness/shared/contract/filter'
import type { ApiClient, SearchOptions } from '../api-client.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'

export type SearchConfig = Pick<GalleryConfig, 'collection' | 'returnK' | 'scoreThres' | 'hammingRadius' | 'searchBudget' | 'detector' | 'exclude'>
/** What is known about the picture, by field name: values of `exclude` fields keep hits with the same value out. */
export type PictureFields = Record<string, string>

/** Below every score. */
const noThreshold = -1e6

export function searchOptionsOf(config: SearchConfig, fields: PictureFields = {}): SearchOptions {
  const { returnK, scoreThres, hammingRadius, searchBudget, detector } = config
  const exclude = excludeFilter(config.exclude, fields)
  return {
    k: returnK,
    // Said in any case: the collection has the threshold of the yaml that built it.
    score_thres: scoreThres ?? noThreshold,
    ...(hammingRadius !== undefined && { hamming_radius: hammingRadius }),
    ...(searchBudget !== undefined && { search_budget: searchBudget }),
    detector_threshold: detector.threshold,
    max_objects: detector.maxResults,
    nms_iou: detector.nmsIou,
    ...(exclude !== undefined && { exclude })
  }
}

function excludeFilter(names: readonly string[], fields: PictureFields): Filter | undefined {
  const conditions = names.flatMap((name): [string, Condition][] => (fields[name] === undefined ? [] : [[name, fields[name]]]))
  if (conditions.length === 0) return undefined
  return { any: conditions.map(([name, value]): Filter => ({ metadata: { [name]: value } })) }
}

export function searchPicture(api: ApiClient, config: SearchConfig, image: Uint8Array, { fields, minSeq }: { fields?: PictureFields; minSeq?: number } = {}): Promise<SearchAnswer> {
  return api.search(config.collection, image, { ...searchOptionsOf(config, fields), ...(minSeq !== undefined && { min_seq: minSeq }) })
}

type AnsweredObject = SearchAnswer['objects'][number]

/**
 * What there is to show of an answer: every subject, and the whole picture where it is recognised or nothing else was found.
 * An object without hits is unknown.
 */
export function shownObjects({ objects }: Pick<SearchAnswer, 'objects'>): AnsweredObject[] {
  const subjects = objects.filter(({ kind }) => kind !== 'whole')
  return objects.filter(({ kind, hits }) => kind !== 'whole' || hits.length > 0 || subjects.length === 0)
}
