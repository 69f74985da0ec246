// Whether the vectors of a gallery can be taken as they are: only where it is known which embedding made them.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { ExportNote } from '../export/export-note.ts'

export interface Choice {
  /** What the vectors are of; undefined: the pictures are embedded anew. `dim` and `unit` are those of the vectors where nobody knows them. */
  take: { version: string; known?: EmbeddingSpec } | undefined
  why: string
}

/** `model`: what the embed-workers make; undefined when none runs. `told`: what the user says. */
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
