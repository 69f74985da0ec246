// Shared parts of the measurements: medians, recall against exact search, the least effort that
// reaches a recall.
import { FaissIndex } from '@likeness/faiss'

export const median = (values: readonly number[]): number => percentile(values, 0.5)

/** The value below which a share of the others lies. */
export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!

/** Rounds to a number of digits after the point. */
export const round = (value: number, digits: number): number => Number(value.toFixed(digits))

export async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

/** Returns, per query, the k rows of largest inner product that are not deleted. */
export async function exactRows(
  vectors: Float32Array,
  queries: Float32Array,
  { dim, k, deleted }: { dim: number; k: number; deleted?: Uint8Array }
): Promise<Set<number>[]> {
  const flat = FaissIndex.create({ kind: 'flat', dim, metric: 'ip' })
  await flat.add(vectors)
  const { ids } = await flat.search(queries, { k, deleted })
  flat.close()
  return Array.from({ length: ids.length / k }, (_, q) => new Set(ids.subarray(q * k, (q + 1) * k)))
}

/** `found`: k rows per query. */
export function recallOf(
  found: ArrayLike<number | bigint>,
  truth: readonly ReadonlySet<number>[]
): number {
  const k = found.length / truth.length
  let hits = 0
  for (let i = 0; i < found.length; i++) if (truth[Math.floor(i / k)]!.has(Number(found[i]))) hits++
  return hits / found.length
}

/** Processor time of all threads of this process, without other programs on the machine. */
export async function processorMs(work: () => Promise<unknown> | unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}
