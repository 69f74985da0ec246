// `likeness import-gallery`: imports a gallery of PP-ShiTu, or of `likeness export`, into a
// collection: with the vectors where they fit, else from the pictures.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import type { ApiClient } from '../api/api-client.ts'
import { galleryOptions, galleryUsage, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { fromCallersFolder } from '../config.ts'
import { connect } from '../connect/connect.ts'
import { fingerprintLines } from '../gallery-config/data-list.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { buildGallery, type GallerySource } from '../gallery/build-gallery.ts'
import { embeddingFor } from '../gallery/gallery-collection.ts'
import { describe, formatJson, printFailures } from '../gallery/run-build.ts'
import { submitParts } from '../gallery/submit-parts.ts'
import { createProgress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import { chooseEmbedding } from './choose-embedding.ts'
import { type GalleryFolder, openGalleryFolder } from './gallery-folder.ts'
import type { GalleryVectors } from './gallery-vectors.ts'
import { importConfig } from './import-config.ts'
import { sendVectors } from './send-vectors.ts'

export const importUsage = `likeness import-gallery DIR (-c FILE.yaml | --collection NAME) [options]      takes over vector.index and id_map.pkl of a folder
  --collection N a collection by its name, instead of a yaml
  --embedding V  the vectors were made by the embedding V: they are taken as they are (default: only those of an export whose embedding is the model's)
  --image-root D where the pictures are that the map names (default: image_root of the yaml)
  --delimiter T  what separates path and label in the map (default: as in a list)
  --force        wipes what the collection holds
${galleryUsage}`

interface Wanted {
  folder: GalleryFolder
  config: GalleryConfig
  imageRoot: string | undefined
  hasPictures: boolean
  told: string | undefined
}

/** Exit code 0 when every item is in; 1 when an item failed. */
export async function runImportGallery(
  args: readonly string[],
  context: CommandContext
): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...galleryOptions,
      collection: { type: 'string' },
      embedding: { type: 'string' },
      'image-root': { type: 'string' },
      delimiter: { type: 'string' },
      force: { type: 'boolean', default: false }
    },
    usage: importUsage,
    positionals: true
  })
  if (positionals.length !== 1) throw new UserError(`one DIR is expected\n${importUsage}`)
  const dir = fromCallersFolder(positionals[0]!)
  const { config, imageRoot } = await importConfig({
    dir,
    ...values,
    imageRoot: values['image-root']
  })
  const scratchDir = await mkdtemp(join(tmpdir(), 'likeness-import-'))
  context.lifecycle.onStop('scratch folder', () => rm(scratchDir, { recursive: true, force: true }))
  const hasPictures =
    imageRoot !== undefined &&
    ((await stat(imageRoot).catch(() => undefined))?.isDirectory() ?? false)
  const folder = await openGalleryFolder(dir, {
    imageRoot: hasPictures ? imageRoot : undefined,
    delimiter: config.delimiter,
    fields: config.fields,
    scratchDir
  })
  const api = await connect(context, { ...values, importRoots: hasPictures ? [imageRoot] : [] })
  const { source, list, noun, form } = await chooseSource(
    api,
    { folder, config, imageRoot, hasPictures, told: values.embedding },
    context
  )
  const progress = createProgress({ label: 'importing', unit: noun }, context)
  const summary = await buildGallery({
    api,
    config: { ...config, ...(values.config === undefined && form) },
    operation: 'new',
    list,
    force: values.force,
    progress,
    say: context.say,
    source
  })
  context.print(describe(summary, noun))
  printFailures(context, basename(folder.mapFile), summary.failures, summary.failed)
  if (values.json) context.print(formatJson(summary))
  return summary.failed === 0 ? 0 : 1
}

async function chooseSource(api: ApiClient, wanted: Wanted, { say, prepare }: CommandContext) {
  const { folder, imageRoot, hasPictures, told, config } = wanted
  // With a named embedding, no embed-worker is needed.
  const model =
    told === undefined
      ? await embeddingFor(api, config)
      : (await api.getStatus()).lanes[0]?.embedding
  const { take, why } = chooseEmbedding({ note: folder.note, model, told })
  say(`${folder.dir}: ${why}${take === undefined ? ': its pictures are embedded anew' : ''}`)
  if (take !== undefined) await prepare()
  if (take !== undefined) return { noun: 'items' as const, ...(await vectorsOf(wanted, take)) }
  if (imageRoot === undefined)
    throw new UserError(
      `--image-root DIR is missing: it says where the pictures are. --embedding VERSION takes the vectors as they are`
    )
  if (!hasPictures)
    throw new UserError(`${imageRoot} is no folder of pictures: --image-root DIR names it`)
  return { noun: 'pictures' as const, ...(await picturesOf(folder, imageRoot)) }
}

async function vectorsOf(
  { folder, config }: Wanted,
  { version, known }: { version: string; known?: EmbeddingSpec }
) {
  const { checkVectors, readGalleryVectors } = await import('./gallery-vectors.ts')
  const vectors = await readGalleryVectors(folder)
  const embedding = known ?? { version, dim: vectors.dim, unit: vectors.isUnit }
  checkVectors(vectors, embedding, folder.indexFile)
  const { embeddingSize } = config
  if (embeddingSize !== undefined && embeddingSize !== vectors.dim)
    throw new UserError(
      `${config.file}: embedding_size is ${embeddingSize}, ${folder.indexFile} has vectors of ${vectors.dim}`
    )
  const source: GallerySource = { embedding, submit: (deps) => sendVectors(deps, folder, vectors) }
  const { lines, sha256 } = await fingerprintLines(linesOf(folder), undefined)
  const hash = createHash('sha256').update(`${sha256} ${version} `)
  await pipeline(createReadStream(folder.indexFile), hash)
  return {
    source,
    list: { lines, sha256: hash.digest('hex') },
    form: folder.note === undefined ? formOf(vectors) : {}
  }
}

async function picturesOf(folder: GalleryFolder, imageRoot: string) {
  const source: GallerySource = {
    submit: (deps) => submitParts({ ...deps, imageRoot }, linesOf(folder))
  }
  return { source, list: await fingerprintLines(linesOf(folder), imageRoot), form: {} }
}

/** Index method and metric of a PP-ShiTu gallery, where no yaml names them. */
function formOf({ kind, metric }: GalleryVectors): Pick<GalleryConfig, 'indexMethod' | 'metric'> {
  const inLists = kind.includes('IVF') ? 'IVF' : 'FLAT'
  const method = kind.includes('HNSW') ? 'HNSW32' : inLists
  return { indexMethod: method, metric: metric === 'l2' ? 'L2' : 'IP' }
}

async function* linesOf(folder: GalleryFolder): AsyncGenerator<ListLine> {
  for await (const { line } of folder.items()) yield line
}
