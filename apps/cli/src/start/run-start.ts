// `likeness start`: keeps the stack up with the gallery of brand marks loaded, until it is told to stop.
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createApiClient } from '../api-client.ts'
import type { ApiClient } from '../api-client.ts'
import type { CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder } from '../config.ts'
import { openGallery } from '../demo/demo-gallery.ts'
import type { NamedGallery } from '../demo/demo-gallery.ts'
import { importGallery } from '../demo/import-gallery.ts'
import { createProgress } from '../progress.ts'
import { isPortFree } from '../stack/free-port.ts'
import { startStack } from '../stack/start-stack.ts'
import { UserError } from '../user-error.ts'

const startUsage = `npm start -- [options]
  --port N     where the API and its page are served, on 127.0.0.1 (default 8080)
  --data DIR   data folder (default .likeness)
  --import DIR a folder whose pictures may be imported; may be given several times`

function parseStartOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { port: { type: 'string', default: '8080' }, data: { type: 'string' }, import: { type: 'string', multiple: true, default: [] } }
    })
    const port = Number(values.port)
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port}: a port is a number from 0 to 65535`)
    const dataDir = values.data === undefined ? dataHome() : fromCallersFolder(values.data)
    return { port, dataDir, importRoots: values.import.map(fromCallersFolder) }
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n${startUsage}`)
  }
}

/** Only ends by a signal. */
export async function runStart(args: readonly string[], context: CommandContext): Promise<number> {
  const { port, dataDir, importRoots } = parseStartOptions(args)
  const { lifecycle, log, print } = context
  if (!(await isPortFree(port))) throw new UserError(`port ${port} is in use: stop what listens there, or give another --port`)
  const gallery = await openGallery({ images: undefined, dataDir, progress: createProgress({ label: 'drawing marks ', unit: 'marks' }, context) })
  print('starting redis, index-worker, embed-worker and api')
  const stack = await startStack({ dataDir: join(dataDir, 'stack'), port, importRoots: [gallery.folder, ...importRoots], log })
  lifecycle.onStop('stack', () => stack.stop())
  await loadGallery(createApiClient({ url: stack.apiUrl }), gallery, context)
  print(`\nLikeness is at ${stack.apiUrl}\nCtrl-C stops it.`)
  return new Promise(() => undefined)
}

/** Imports the gallery unless an earlier start or demo did. */
async function loadGallery(api: ApiClient, gallery: NamedGallery, context: CommandContext): Promise<void> {
  const { collection, pictures, folder: root, listFile } = gallery
  const there = await api.getCollection(collection)
  if (there !== undefined && there.open_jobs === 0 && there.items >= pictures.length) {
    context.print(`the collection ${collection} is there with ${there.items} items`)
    return
  }
  const progress = createProgress({ label: 'importing     ', unit: 'images' }, context)
  const { job } = await importGallery({ api, collection, root, listFile, progress })
  context.print(`${job.counts.indexed} pictures can be found in the collection ${collection}, ${job.counts.failed} failed`)
}
