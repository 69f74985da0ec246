// Decides whether the vectors of a gallery can be used directly: only where their embedding is
// known.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { ExportNote } from '../export/export-note.ts'

export interface Choice {
  /**
   * Embedding of the vectors; undefined: the pictures are embedded anew. `known` is absent where
   * `dim` and `unit` come from the vectors.
   */
  take: { version: string; known?: EmbeddingSpec } | undefined
  why: string
}

/**
 * `model`: the embed-workers' embedding; undefined when no embed-worker runs. `told`: the user's
 * embedding.
 */
export function chooseEmbedding({
  note,
  model,
  told
}: {
  note: ExportNote | undefined
  model: EmbeddingSpec | undefined
  told: string | undefined
}): Choice {
  const known = [model, note?.embedding].find(
    (one) => one?.version === (told ?? note?.embedding.version)
  )
  if (told !== undefined)
    return {
      take: { version: told, ...(known && { known }) },
      why: `its vectors are taken as those of ${told}`
    }
  if (note === undefined)
    return { take: undefined, why: 'nothing says which embedding made its vectors' }
  if (model?.version === note.embedding.version)
    return {
      take: { version: model.version, known: model },
      why: `its vectors are those of ${model.version}`
    }
  return {
    take: undefined,
    why: `its vectors are those of ${note.embedding.version}, and ${model === undefined ? 'no embed-worker runs' : `the model makes ${model.version}`}`
  }
}
