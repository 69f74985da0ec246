// Writes the table of docs/configuration.md and the JSON Schema for editors, both from the schema.
import { z } from 'zod'
import { searchedGallerySchema, sections } from './gallery-schema.ts'

const marks = ['<!-- keys: written by write-docs.ts -->', '<!-- end of keys -->'] as const

const cell = (text: string): string => text.replace(/\|/g, '\\|')

function sectionTable([section, schema]: [string, z.ZodObject]): string {
  const rows = Object.entries(schema.shape).map(([name, key]) => {
    const { description = '', absent } = (key as z.ZodType).meta() as {
      description?: string
      absent?: string
    }
    return `| \`${section}.${name}\` | ${cell(description)} | ${cell(absent ?? 'required')} |`
  })
  return `### ${section}\n\n| Key | Meaning | When absent |\n|---|---|---|\n${rows.join('\n')}\n`
}

export const renderTables = (): string =>
  Object.entries(sections)
    .map((entry) => sectionTable(entry as [string, z.ZodObject]))
    .join('\n')

/** Returns the document with current tables; throws when the marks are missing. */
export function withTables(document: string): string {
  const [from, to] = marks.map((mark) => document.indexOf(mark)) as [number, number]
  if (from < 0 || to < from) throw new Error(`the document has no ${marks.join(' ... ')}`)
  return `${document.slice(0, from + marks[0].length)}\n${renderTables()}${document.slice(to)}`
}

export function renderJsonSchema(): string {
  const schema = z.toJSONSchema(searchedGallerySchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // Editors show the table's column as part of the description.
      if (typeof jsonSchema.absent === 'string')
        jsonSchema.description += `; when absent: ${jsonSchema.absent}`
      delete jsonSchema.absent
    }
  })
  return `${JSON.stringify({ title: 'Likeness gallery', ...schema }, undefined, 2)}\n`
}
