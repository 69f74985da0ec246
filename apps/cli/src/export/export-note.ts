// `export.json`: the origin of an exported index. A later import finds the embedding of the vectors
// there.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { embeddingSchema, indexMethods, metrics } from '@likeness/shared/contract/collection'
import { itemIdSchema, metadataSchema } from '@likeness/shared/contract/item-list'
import { batchRowSchema } from '@likeness/shared/contract/vector-batch'
import { UserError } from '../user-error.ts'
import { fileNames } from './export-folder.ts'

export const exportNoteSchema = z.object({
  format: z.literal(1),
  collection: z.string(),
  incarnation: z.string(),
  /** The committed version that was exported. */
  seq: z.number().int(),
  embedding: embeddingSchema,
  metric: z.enum(metrics),
  index_method: z.enum(indexMethods),
  items: z.number().int(),
  rows: z.number().int(),
  exported_at: z.string()
})
export type ExportNote = z.infer<typeof exportNoteSchema>

/** A line of id_map.ndjson: describes a row of the index. Rows of an item follow each other. */
export const rowLineSchema = batchRowSchema.extend({
  row: z.number().int().min(0),
  id: itemIdSchema,
  label: z.string().nullable(),
  metadata: metadataSchema.optional(),
  width: z.number(),
  height: z.number()
})
export type RowLine = z.infer<typeof rowLineSchema>

/** undefined when the folder is not an export of this program. */
export async function readExportNote(dir: string): Promise<ExportNote | undefined> {
  const file = join(dir, fileNames.note)
  try {
    return exportNoteSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      throw new UserError(
        `${file} is not what \`likeness export\` writes: move it away to import the index without it`
      )
    throw error
  }
}
