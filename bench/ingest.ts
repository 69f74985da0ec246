// Measures import images/s through the whole stack (default settings: subjects at the model's size
// and two views), as a fraction of a bare loop. The bare loop decodes the same pictures and makes
// the same session.run calls with the same model in the same number of processes. Both are measured
// in a single run: bare, import, bare, import, ... ; medians.
// npm run bench -- ingest [--rounds 3] [--images 400] [--processes 2] [--one-loop] [--prefix]
//   [--json]
// With --one-loop the bare loop is a single process with as many threads per run, like a user's
// script. With --prefix the pictures are in the object store before, like those of a bucket; else
// an import first copies them there from a folder.
import { type ChildProcess, fork } from 'node:child_process'
import { copyFile, link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { collectionSettingsSchema } from '@likeness/shared/contract/collection'
import { silentLogger } from '@likeness/shared/process/logger'
import { openObjectStore } from '@likeness/store/open-store'
import { createApiClient } from '../apps/cli/src/api/api-client.ts'
import { drawGallery } from '../apps/cli/src/demo/draw-gallery.ts'
import { importAnew } from '../apps/cli/src/demo/import-gallery.ts'
import { startStack } from '../apps/cli/src/stack/start-stack.ts'
import { median } from './measure.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const modelDir = join(root, 'models/likeness-nano')
const viewSizes = collectionSettingsSchema.parse({}).view_sizes
const quiet = { show: () => undefined, done: () => undefined }

/** Returns the next message of a child; rejects when the child ends without a message. */
function messageOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as T))
    child.once('exit', (code, signal) =>
      reject(new Error(`a bare loop ended with ${code ?? signal}`))
    )
  })
}

/** Images/s of `loops` bare loops side by side, with `threads` threads per run. */
async function bareLoop(
  files: readonly string[],
  cacheDir: string,
  { loops, threads }: { loops: number; threads: number }
): Promise<number> {
  const children = Array.from({ length: loops }, (_, i) => {
    const share = files.filter((_file, at) => at % loops === i)
    const child = fork(join(root, 'bench/bare-loop.ts'), { execArgv: ['--import', 'tsx'] })
    child.send({ files: share, cacheDir, modelDir, viewSizes, threads })
    return child
  })
  await Promise.all(children.map((child) => messageOf(child)))
  const ended = children.map((child) => messageOf<{ seconds: number }>(child))
  for (const child of children) child.send('go')
  const seconds = Math.max(...(await Promise.all(ended)).map((end) => end.seconds))
  return files.length / seconds
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    images: { type: 'string', default: '400' },
    processes: { type: 'string', default: '2' },
    'one-loop': { type: 'boolean', default: false },
    prefix: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const rounds = Number(values.rounds)
const processes = Number(values.processes)
const bareLoops = values['one-loop']
  ? { loops: 1, threads: processes }
  : { loops: processes, threads: 1 }
const dir = await mkdtemp(join(tmpdir(), 'likeness-bench-'))
const gallery = await drawGallery({ folder: join(root, '.likeness/demo/brand-marks') })
const drawn = (await readFile(gallery.listFile, 'utf8')).split('\n').filter((line) => line !== '')
// With more images than drawings, the pictures repeat under other names: an import does not notice.
const pictures = join(dir, 'pictures')
const names: string[] = []
const lines: string[] = []
for (let at = 0; at < Number(values.images); at++) {
  const [file, ...rest] = drawn[at % drawn.length]!.split('\t')
  const name = `${Math.floor(at / drawn.length)}/${file}`
  await mkdir(dirname(join(pictures, name)), { recursive: true })
  await link(join(gallery.folder, file!), join(pictures, name)).catch(() =>
    copyFile(join(gallery.folder, file!), join(pictures, name))
  )
  names.push(name)
  lines.push([name, ...rest].join('\t'))
}
const listFile = join(pictures, 'list.tsv')
await writeFile(listFile, lines.join('\n') + '\n')
const files = names.map((name) => join(pictures, name))
const stack = await startStack({
  dataDir: join(dir, 'stack'),
  importRoots: [pictures],
  embedProcesses: processes,
  logger: silentLogger()
})

async function sendPrefix(prefix: string): Promise<{ job: string; total: number }> {
  const response = await fetch(`${stack.apiUrl}/v1/collections/bench/imports`, {
    method: 'POST',
    body: JSON.stringify({ prefix }),
    headers: { 'content-type': 'application/json', 'idempotency-key': `bench-${performance.now()}` }
  })
  if (!response.ok) throw new Error(`import: ${response.status} ${await response.text()}`)
  return (await response.json()) as { job: string; total: number }
}

try {
  const api = createApiClient({ url: stack.apiUrl })
  if (values.prefix) {
    const store = await openObjectStore({ url: `dir:${join(dir, 'stack/objects')}` })
    for (const name of names) await store.put(`bench/${name}`, await readFile(join(pictures, name)))
  }
  const bare: number[] = []
  const imported: number[] = []
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareLoop(files, dir, bareLoops))
    const send = () =>
      values.prefix ? sendPrefix('bench/') : api.importList('bench', { root: pictures, listFile })
    imported.push(
      (
        await importAnew(
          { api, collection: 'bench', progress: quiet, options: { settings: {} } },
          send
        )
      ).imagesPerSecond
    )
    process.stderr.write(
      `round ${round + 1}: bare loop ${bare.at(-1)!.toFixed(1)} images/s, import ${imported.at(-1)!.toFixed(1)} images/s\n`
    )
  }
  const fraction = median(imported.map((value, i) => value / bare[i]!))
  const result = {
    images: files.length,
    rounds,
    processes,
    bareLoops,
    bareImagesPerSecond: median(bare),
    importImagesPerSecond: median(imported),
    fraction
  }
  console.log(
    values.json
      ? JSON.stringify(result)
      : `import is ${(100 * fraction).toFixed(0)} % of the bare loop (medians of ${rounds}: ${result.importImagesPerSecond.toFixed(1)} and ${result.bareImagesPerSecond.toFixed(1)} images/s)`
  )
} finally {
  await stack.stop()
  await rm(dir, { recursive: true, force: true })
}
