// The queries of a search: the vectors of a picture, an item or a vector, and how the answer shows
// each object.
import type { CollectionReader, StoredItem } from '@likeness/engine/contract'
import { decodeRaw, decodeVector, type EmbedAnswer } from '@likeness/shared/contract/embedder'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { Metadata } from '@likeness/shared/contract/item-list'
import { rowCount, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { appError } from '@likeness/shared/errors'

export type AnsweredObject = Omit<SearchAnswer['objects'][number], 'hits' | 'verdict'>

export interface SearchQueries {
  objects: AnsweredObject[]
  /** Row i belongs to objects[objectOf[i]]. */
  vectors: VectorRows
  objectOf: number[]
  picture: SearchAnswer['picture']
  /** Ids of query items, which are no hits of themselves. */
  except: ReadonlySet<string>
  /** Metadata of the query item. */
  metadata?: Metadata
  /**
   * float16 of each row, before the profile; for pictures, where the request asks for raw vectors.
   */
  rawVectors?: Uint16Array
  /** The query item. */
  item?: StoredItem
}

/** Makes an object of each row. */
export function queriesOfVectors(vectors: VectorRows, dim: number): SearchQueries {
  const objects = Array.from(
    { length: rowCount(vectors, dim) },
    (): AnsweredObject => ({ kind: 'vector', box: null, class: null, detector_score: null })
  )
  return { objects, vectors, objectOf: [...objects.keys()], picture: null, except: new Set() }
}

/** Finds or adds an object. The same box at several sizes is a single object. */
function placeOf(objects: AnsweredObject[], wanted: AnsweredObject): number {
  const known = objects.findIndex(
    ({ kind, box }) => kind === wanted.kind && box?.every((value, i) => value === wanted.box![i])
  )
  return known >= 0 ? known : objects.push(wanted) - 1
}

export function queriesOfPicture(answer: EmbedAnswer): SearchQueries {
  const { dim } = answer.embedding
  const vectors = new Float32Array(answer.objects.length * dim)
  answer.objects.forEach((object, i) => {
    const vector = decodeVector(object.vector)
    if (vector.length !== dim)
      throw appError(
        'internal',
        `the embed server answered a vector of ${vector.length} values, not ${dim}`
      )
    vectors.set(vector, i * dim)
  })
  const objects: AnsweredObject[] = []
  const objectOf = answer.objects.map(({ kind, box, className, score }) =>
    placeOf(objects, {
      kind,
      box,
      class: className,
      detector_score: kind === 'subject' ? score : null
    })
  )
  return {
    objects,
    vectors,
    objectOf,
    picture: { width: answer.width, height: answer.height },
    except: new Set(),
    rawVectors: concatArrays(
      Uint16Array,
      answer.objects.flatMap(({ raw }) => (raw === undefined ? [] : [decodeRaw(raw)]))
    )
  }
}

/**
 * Makes an object of each subject row of a stored item. The whole-picture rows are a single object.
 */
export async function queriesOfItem(reader: CollectionReader, id: string): Promise<SearchQueries> {
  const [item, vectors] = [await reader.getItem(id), await reader.getVectors(id)]
  if (item === undefined || vectors === undefined)
    throw appError('item_not_found', 'the collection has no item with this id')
  const objects: AnsweredObject[] = []
  const objectOf = item.rows.map(({ kind, box, className, score }) =>
    placeOf(
      objects,
      kind === 'subject'
        ? { kind, box, class: className, detector_score: score }
        : { kind: 'whole', box, class: null, detector_score: null }
    )
  )
  return {
    objects,
    vectors,
    objectOf,
    picture: { width: item.width, height: item.height },
    except: new Set([id]),
    metadata: item.metadata,
    item
  }
}
