// Finds the best items of a version for one query, over all its segments.
import { type Grouping, searchGrouped, takeByGroup } from './group-search.ts'
import { type Candidate, searchSegment, type SegmentQuery } from './segment-search.ts'
import type { SegmentView } from './segment-view.ts'

export async function bestOf(
  views: readonly SegmentView[],
  query: SegmentQuery
): Promise<Candidate[]> {
  return (await Promise.all(views.map((view) => searchSegment(view, query))))
    .flat()
    .sort(byScore)
    .slice(0, Math.max(query.k, query.looked ?? 0))
}

export async function bestGrouped(
  views: readonly SegmentView[],
  query: SegmentQuery,
  grouping: Grouping
): Promise<Candidate[]> {
  return takeByGroup(
    (await Promise.all(views.map((view) => searchGrouped(view, query, grouping))))
      .flat()
      .sort(byScore),
    query.k,
    grouping
  )
}

/**
 * Compares by score, best first. Ties have a fixed order, so that the same version gives the same
 * answer.
 */
function byScore(a: Candidate, b: Candidate): number {
  if (a.score !== b.score) return b.score - a.score
  const [idA, idB] = [a.view.segment.ref.id, b.view.segment.ref.id]
  if (idA === idB) return a.item - b.item
  return idA < idB ? -1 : 1
}
