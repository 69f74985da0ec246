// Draws the things of inventThings() into a folder with a list, things.ndjson. A restarted run
// continues after the last line. The seeds of the examples and of the demo (11, 12, 13) are not
// used here, so that these stay fair tests.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../../packages/drawing/src/seeded-random.ts'
import { drawThing, inventThings } from './invented-things.ts'

const [folder, ...numbers] = process.argv.slice(2)
if (folder === undefined || numbers.some((text) => !/^\d+$/.test(text))) {
  throw new Error(
    'Usage: node --import tsx models/training/draw-things.ts FOLDER [PRODUCTS VEHICLES VIEWS SEED]'
  )
}
const [products = 1200, vehicles = 1200, views = 4, seed = 7001] = numbers.map(Number)
mkdirSync(folder, { recursive: true })
const list = join(folder, 'things.ndjson')
const done = existsSync(list) ? readFileSync(list, 'utf8').split('\n').length - 1 : 0
for (const thing of inventThings({ products, vehicles, seed }).slice(done)) {
  const files = await drawThing(thing, {
    folder,
    views,
    random: createRandom(seed).fork(thing.name)
  })
  appendFileSync(list, `${JSON.stringify({ name: thing.name, kind: thing.kind, files })}\n`)
}
