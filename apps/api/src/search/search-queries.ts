// What is searched for: the vectors behind a picture, an item or a vector, and how each object is shown in the answer.
import type { Snapshot } from '@likeness/engine/contract'
import type { SearchAnswer } from '@likeness/shared/contract/http'
import { decodeVector } from '@likeness/shared/contract/lane'
import type { EmbedAnswer } from '@likeness/shared/contract/lane'
import { rowCount } from '@likeness/shared/contract/vector-rows'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'

type AnsweredObject = Omit<SearchAnswer['objects'][number], 'hits'>

export interface SearchQueries {
  objects: AnsweredObject[]
  /** Row i belongs to objects[objectOf[i]]. */
  vectors: VectorRows
  objectOf: number[]
  picture: SearchAnswer['picture']
  /** Not a hit of itself. */
  except: string | undefined
}

/** Each row is an object. */
export function queriesOfVectors(vectors: VectorRows, dim: number): SearchQueries {
  const objects = Array.from({ length: rowCount(vectors, dim) }, (): AnsweredObject => ({ kind: 'vector', box: null, class: null, detector_score: null }))
  return { objects, vectors, objectOf: [...objects.keys()], picture: null, except: undefined }
}

export function queriesOfPicture(answer: EmbedAnswer): SearchQueries {
  const { dim } = answer.embedding
  const vectors = new Float32Array(answer.objects.length * dim)
  answer.objects.forEach((object, i) => {
    const vector = decodeVector(object.vector)
    if (vector.length !== dim) throw appError('internal', `the lane answered a vector of ${vector.length} values, not ${dim}`)
    vectors.set(vector, i * dim)
  })
  const objects: AnsweredObject[] = []
  const objectOf = answer.objects.map(({ kind, box, className, score }) => {
    // The whole picture at several sizes is one object.
    const known = kind === 'whole' ? objects.findIndex((object) => object.kind === 'whole') : -1
    return known >= 0 ? known : objects.push({ kind, box, class: className, detector_score: kind === 'subject' ? score : null }) - 1
  })
  return {
    objects,
    vectors,
    objectOf,
    picture: { width: answer.width, height: answer.height },
    except: undefined
  }
}

/** Each subject row of a stored item is an object; its whole-picture rows are one object together. */
export async function queriesOfItem(snapshot: Snapshot, id: string): Promise<SearchQueries> {
  const [item, vectors] = [await snapshot.getItem(id), await snapshot.getVectors(id)]
  if (item === undefined || vectors === undefined) throw appError('item_not_found', 'the collection has no item with this id')
  const objects: AnsweredObject[] = []
  let whole: number | undefined
  const objectOf = item.rows.map(({ kind, box, className, score }) => {
    if (kind === 'subject') return objects.push({ kind, box, class: className, detector_score: score }) - 1
    whole ??= objects.push({ kind: 'whole', box, class: null, detector_score: null }) - 1
    return whole
  })
  return { objects, vectors, objectOf, picture: { width: item.width, height: item.height }, except: id }
}
