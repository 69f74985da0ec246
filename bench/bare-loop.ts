// A process of the bare loop: decode, letterbox and the same session.run calls as enrolment, over its share of the pictures, and nothing else.
// argv: JSON {files, cacheDir, modelDir, viewSizes}; sends {seconds} to its parent.
import { readFile } from 'node:fs/promises'
import { createEmbedder, decodeImage, prepareModel } from '@likeness/vision'

interface Share {
  files: string[]
  cacheDir: string
  modelDir: string
  viewSizes: number[]
}

const { files, cacheDir, modelDir, viewSizes } = JSON.parse(process.argv[2]!) as Share
const model = await prepareModel({ modelDir, cacheDir })
const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })

async function embed(file: string): Promise<void> {
  const image = await decodeImage(await readFile(file))
  await embedder.embed(image)
  await embedder.embedWhole(image, viewSizes)
}

await embed(files[0]!)
process.send!({ ready: true })
// A listener that stays keeps the channel, and so this process, alive until the end.
await new Promise((resolve) => process.on('message', resolve))
const startedMs = performance.now()
for (const file of files) await embed(file)
process.send!({ seconds: (performance.now() - startedMs) / 1000 })
await embedder.close()
process.disconnect()
