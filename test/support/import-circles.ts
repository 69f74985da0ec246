// Finds circles of a directed graph: the strongly connected components of more than one node
// (Tarjan).

interface Visit {
  index: number
  low: number
  onPath: boolean
}

/** Returns the nodes of each circle, sorted. A node that is not a key of the graph has no edges. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const visits = new Map<string, Visit>()
  const path: string[] = []
  const circles: string[][] = []

  function enter(node: string): Visit {
    const visit = { index: visits.size, low: visits.size, onPath: true }
    visits.set(node, visit)
    path.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue
      const seen = visits.get(next)
      if (seen === undefined) visit.low = Math.min(visit.low, enter(next).low)
      else if (seen.onPath) visit.low = Math.min(visit.low, seen.index)
    }
    if (visit.low === visit.index) leave(node)
    return visit
  }
  function leave(node: string): void {
    const circle = path.splice(path.indexOf(node))
    for (const member of circle) visits.get(member)!.onPath = false
    if (circle.length > 1) circles.push(circle.sort())
  }
  for (const node of graph.keys()) if (!visits.has(node)) enter(node)
  return circles
}
