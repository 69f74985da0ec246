// `npm run bench -- batch [--json]`: measures pictures a second of a single session at several
// batch sizes, in turns; medians of the rounds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { createEmbedder, type DecodedImage, decodeImage, prepareModel } from '@likeness/vision'
import { median } from './measure.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    model: { type: 'string', default: 'models/likeness-nano' }
  }
})
const batchSizes = [1, 8, 32]
const pictures = 32
/** Size of an enrolled gallery picture. */
const size = 224

function drawPicture(seed: number): Promise<Buffer> {
  const hue = (seed * 47) % 360
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><rect width="100%" height="100%" fill="hsl(${hue},40%,70%)"/><circle cx="${60 + seed * 5}" cy="120" r="${30 + seed}" fill="hsl(${(hue + 160) % 360},70%,40%)"/></svg>`
  return sharp(Buffer.from(svg)).png().toBuffer()
}

async function ratesOfRound(
  embed: (images: readonly DecodedImage[]) => Promise<unknown>,
  images: readonly DecodedImage[]
): Promise<number[]> {
  const rates = []
  for (const batch of batchSizes) {
    const startedMs = performance.now()
    for (let from = 0; from < images.length; from += batch)
      await embed(images.slice(from, from + batch))
    rates.push((1000 * images.length) / (performance.now() - startedMs))
  }
  return rates
}

// All pictures are drawn before the first decode: the decoder closes sharp to SVG.
const drawn = await Promise.all(Array.from({ length: pictures }, (_, i) => drawPicture(i)))
const cacheDir = await mkdtemp(join(tmpdir(), 'likeness-batch-'))
try {
  const images = await Promise.all(drawn.map((png) => decodeImage(png)))
  const embedder = await createEmbedder({
    model: await prepareModel({ modelDir: values.model, cacheDir }),
    executionProviders: ['cpu'],
    threads: 1
  })
  const embed = (some: readonly DecodedImage[]) => embedder.embedBatch(some, { size })
  await embed(images)
  const rounds: number[][] = []
  for (let round = 0; round < Number(values.rounds); round++)
    rounds.push(await ratesOfRound(embed, images))
  const result = batchSizes.map((batch, i) => ({
    batch,
    imagesPerSecond: Number(median(rounds.map((rates) => rates[i]!)).toFixed(1))
  }))
  for (const { batch, imagesPerSecond } of result)
    console.log(`batch ${String(batch).padStart(2)}: ${imagesPerSecond} pictures/s`)
  if (values.json) console.log(JSON.stringify(result))
  await embedder.close()
} finally {
  await rm(cacheDir, { recursive: true, force: true })
}
