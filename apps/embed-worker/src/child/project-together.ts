// Projects the rows of several gallery pictures at once. Each call reads the matrix (4.7 MB for the
// built-in model) from memory. For a single picture, that takes longer than the arithmetic.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import type { Project } from './projections.ts'

interface Waiting {
  rawVectors: Float32Array
  embedding: EmbeddingSpec
  resolve: (vectors: Float32Array) => void
  reject: (error: unknown) => void
}

/** Calls wait until there are `most` of them, and no longer than `withinMs`. */
export function createProjectTogether({
  project,
  most = 3,
  withinMs = 100
}: {
  project: Project
  most?: number
  withinMs?: number
}): Project {
  let waiting: Waiting[] = []
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const groups = new Map<string, Waiting[]>()
    for (const one of waiting)
      groups.set(one.embedding.version, [...(groups.get(one.embedding.version) ?? []), one])
    waiting = []
    for (const group of groups.values()) void projectGroup(group)
  }
  async function projectGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const rawVectors = concatArrays(
        Float32Array,
        group.map((one) => one.rawVectors)
      )
      const vectors = await project(rawVectors, group[0]!.embedding)
      // The product comes first: with whole numbers the division is exact.
      const placeOf = (raw: number): number =>
        rawVectors.length === 0 ? 0 : (raw * vectors.length) / rawVectors.length
      let from = 0
      for (const one of group) {
        const end = from + one.rawVectors.length
        one.resolve(vectors.slice(placeOf(from), placeOf(end)))
        from = end
      }
    } catch (error) {
      for (const { reject } of group) reject(error)
    }
  }
  return (rawVectors, embedding) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ rawVectors, embedding, resolve, reject }) >= most) flush()
      else timer ??= setTimeout(flush, withinMs)
    })
}
