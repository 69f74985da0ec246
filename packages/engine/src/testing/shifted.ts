// Profiles for tests. `test@1/shift@N` moves the values of the raw vector N places to the left,
// cuts them to the dimension of the embedding, and brings them into stored form.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { type EmbeddingPart, storedForm } from '@likeness/shared/contract/embedding-parts'
import { fromFloat16, toFloat16 } from '@likeness/shared/data/float16'
import type { Project } from '../log/embedded-batch.ts'

export const shifted = (places: number, dim: number, parts?: EmbeddingPart[]): EmbeddingSpec => ({
  version: `test@1/shift@${places}`,
  dim,
  unit: true,
  ...(parts && { parts })
})

export function shift(
  values: Float32Array,
  { version, dim, parts }: Pick<EmbeddingSpec, 'version' | 'dim' | 'parts'>
): Float32Array {
  const places = Number(/shift@(\d+)$/.exec(version)?.[1] ?? 0)
  const moved = Float32Array.from({ length: dim }, (_, i) => values[(i + places) % values.length]!)
  return storedForm(moved, parts ?? [{ dim }])!
}

const shiftedBy: Project = async (raw, rawDim, embedding) => {
  const rows = fromFloat16(raw)
  const out = new Float32Array((rows.length / rawDim) * embedding.dim)
  for (let row = 0; row * rawDim < rows.length; row++)
    out.set(shift(rows.subarray(row * rawDim, (row + 1) * rawDim), embedding), row * embedding.dim)
  return out
}

/** Encodings of vectors as raw vectors, each with its projection. */
export const rawForms: Record<
  'f16' | 'bits',
  { write: (vectors: Float32Array) => Uint16Array; project: Project }
> = {
  f16: { write: toFloat16, project: shiftedBy },
  bits: {
    write: (vectors) => new Uint16Array(vectors.slice().buffer),
    project: async (raw) => new Float32Array(raw.slice().buffer)
  }
}
