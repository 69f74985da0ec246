// `likeness export`: writes a gallery as a standard Faiss index with an id map, for Python and for
// PP-ShiTu.
import { relative } from 'node:path'
import { galleryOptions, galleryUsage, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { loadSearchedGallery } from '../gallery-config/load-gallery-config.ts'
import { createProgress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { fileNames } from './export-folder.ts'

export const exportUsage = `likeness export (-c FILE.yaml | --collection NAME) [options]      writes a standard Faiss index with its id map
  --collection N a collection by its name, instead of a yaml
  --out DIR      where to (default: index_dir of the yaml)
${galleryUsage}`

/** Exit code 0 when everything is written. */
export async function runExport(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseCommand(args, {
    options: { ...galleryOptions, collection: { type: 'string' }, out: { type: 'string' } },
    usage: exportUsage
  })
  const { name, outDir } = await chooseGallery(values)
  const api = await connect(context, values)
  const collection = await api.getCollection(name)
  if (collection === undefined)
    throw new UserError(
      `the collection ${name} does not exist${values.config === undefined ? '' : `: \`likeness build -c ${values.config}\` makes it`}`
    )
  const reading = createProgress({ label: 'reading ', unit: 'items' }, context)
  const building = createProgress({ label: 'indexing', unit: 'rows' }, context)
  await context.prepare()
  const { exportGallery } = await import('./export-gallery.ts')
  const note = await exportGallery({ api, collection, outDir, reading, building })
  const where = relative(fromCallersFolder('.'), outDir) || '.'
  context.print(
    `${name}: version ${note.seq} exported to ${where}: ${note.items} items, ${note.rows} rows of ${note.embedding.dim}, ${note.index_method} ${note.metric} (${Object.values(fileNames).join(', ')})`
  )
  if (values.json) context.print(JSON.stringify({ ...note, folder: outDir }))
  return 0
}

async function chooseGallery({
  config,
  collection,
  out,
  override
}: {
  config?: string
  collection?: string
  out?: string
  override: readonly string[]
}) {
  if ((config === undefined) === (collection === undefined))
    throw new UserError(`give either -c FILE.yaml or --collection NAME\n${exportUsage}`)
  if (config !== undefined) {
    const gallery = await loadSearchedGallery(fromCallersFolder(config), { overrides: override })
    return {
      name: gallery.collection,
      outDir: out === undefined ? gallery.indexDir : fromCallersFolder(out)
    }
  }
  if (out === undefined) throw new UserError(`--out DIR is missing\n${exportUsage}`)
  return { name: collection!, outDir: fromCallersFolder(out) }
}
