// A process of the bare loop: decode, letterbox and the same session.run calls as enrolment, over
// its share of the pictures, without any other work. The parent sends the share, then `go`; the
// process sends {ready}, then {seconds}.
import { readFile } from 'node:fs/promises'
import { createEmbedder, decodeImage, prepareModel } from '@likeness/vision'

interface Share {
  files: string[]
  cacheDir: string
  modelDir: string
  viewSizes: number[]
  /** Threads of a run. */
  threads: number
}

const nextMessage = () => new Promise((resolve) => process.once('message', resolve))
// A permanent listener keeps the channel, and so this process, alive until the end.
process.on('message', () => undefined)
const { files, cacheDir, modelDir, viewSizes, threads } = (await nextMessage()) as Share
const model = await prepareModel({ modelDir, cacheDir })
const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads })

async function embed(file: string): Promise<void> {
  const image = await decodeImage(await readFile(file))
  await embedder.embed(image)
  await embedder.embedWhole(image, viewSizes)
}

await embed(files[0]!)
process.send!({ ready: true })
await nextMessage()
const startedMs = performance.now()
for (const file of files) await embed(file)
process.send!({ seconds: (performance.now() - startedMs) / 1000 })
await embedder.close()
process.disconnect()
