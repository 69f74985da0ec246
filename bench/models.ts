// Compares the processor time that models take for a picture, by turns: each picture goes through
// all models before the next one does. Whole run: resize, detection, vectors of the boxes.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbedder, decodeImage, prepareModel } from '@likeness/vision'
import { median, processorMs, round } from './measure.ts'

const [folder, ...modelDirs] = process.argv.slice(2)
if (folder === undefined || modelDirs.length === 0) {
  process.stderr.write('usage: npm run bench -- models PICTURES MODEL_FOLDER...\n')
  process.exit(2)
}
const mostPictures = 60
const files = (await readdir(folder, { recursive: true }))
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort()
  .slice(0, mostPictures)
if (files.length === 0) throw new Error(`no pictures in ${folder}`)
const cacheDir = await mkdtemp(join(tmpdir(), 'likeness-bench-'))
const models = await Promise.all(
  modelDirs.map(async (modelDir) => ({
    modelDir,
    times: [] as number[],
    boxes: 0,
    embedder: await createEmbedder({
      model: await prepareModel({ modelDir, cacheDir }),
      executionProviders: ['cpu'],
      threads: 1
    })
  }))
)
for (const name of files) {
  const image = await decodeImage(await readFile(join(folder, name)))
  for (const model of models) {
    const runs = []
    for (let run = 0; run < 3; run++)
      runs.push(
        await processorMs(async () => {
          const { subjects } = await model.embedder.embed(image)
          if (run === 0) model.boxes += subjects.length
        })
      )
    model.times.push(Math.min(...runs))
  }
}
const [first] = models
for (const { modelDir, times, boxes } of models)
  process.stdout.write(
    `${JSON.stringify({
      model: modelDir,
      pictures: files.length,
      boxes: round(boxes / files.length, 2),
      medianMs: round(median(times), 1),
      ratio: round(median(times.map((ms, n) => ms / first!.times[n]!)), 2)
    })}\n`
  )
for (const { embedder } of models) await embedder.close()
await rm(cacheDir, { recursive: true })
