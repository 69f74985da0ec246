// `likeness start`: keeps the stack running with the gallery of brand marks loaded, until a stop.
import { join } from 'node:path'
import { type ApiClient, createApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import { type NamedGallery, openGallery } from '../demo/demo-gallery.ts'
import { importGallery } from '../demo/import-gallery.ts'
import { createProgress } from '../progress.ts'
import { makeDataFolder } from '../stack/private-files.ts'
import { startStack } from '../stack/start-stack.ts'
import { parseServe, startUsage } from './run-serve.ts'

/** Ends only by a signal. */
export async function runStart(args: readonly string[], context: CommandContext): Promise<number> {
  const { port, dataDir, importRoots, modelDir } = await parseServe(args, startUsage)
  const { lifecycle, logger, print } = context
  await context.prepare()
  const gallery = await openGallery({
    images: undefined,
    dataDir,
    progress: createProgress({ label: 'drawing marks ', unit: 'marks' }, context),
    say: context.say
  })
  print('starting redis, index-worker, embed-worker and api')
  makeDataFolder(join(dataDir, 'stack'))
  const stack = await startStack({
    dataDir: join(dataDir, 'stack'),
    port,
    importRoots: [gallery.folder, ...importRoots],
    modelDir,
    logger
  })
  lifecycle.onStop('stack', () => stack.stop())
  await loadGallery(createApiClient({ url: stack.apiUrl }), gallery, context)
  print(`\nLikeness is at ${stack.apiUrl}\nCtrl-C stops it.`)
  return new Promise(() => undefined)
}

/** Imports the gallery unless an earlier start or demo did. */
async function loadGallery(
  api: ApiClient,
  gallery: NamedGallery,
  context: CommandContext
): Promise<void> {
  const { collection, pictures, folder: root, listFile } = gallery
  const there = await api.getCollection(collection)
  if (there !== undefined && there.open_jobs === 0 && there.items >= pictures.length) {
    context.print(`the collection ${collection} is there with ${there.items} items`)
    return
  }
  const progress = createProgress({ label: 'importing     ', unit: 'images' }, context)
  const { job } = await importGallery({ api, collection, root, listFile, progress })
  context.print(
    `${job.counts.indexed} pictures can be found in the collection ${collection}, ${job.counts.failed} failed`
  )
}
