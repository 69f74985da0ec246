// node --import tsx embed_with_likeness.mjs FILE.onnx PICTURE CACHE: what the TypeScript pipeline makes of an export, as JSON.
import { readFile } from 'node:fs/promises'
import { createEmbedder, decodeImage, prepareModel } from '@likeness/vision'

const [onnxPath, picture, cacheDir] = process.argv.slice(2)
const model = await prepareModel({ onnxPath, cacheDir })
const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
const { subjects, whole } = await embedder.embed(await decodeImage(await readFile(picture)))
await embedder.close()
const numbers = (values) => Array.from(values)
process.stdout.write(
  JSON.stringify({
    subjects: subjects.map((one) => ({ ...one, raw: numbers(one.raw) })),
    whole: numbers(whole),
    maps: model.manifest.maps
  })
)
