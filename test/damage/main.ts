// `npm run damage -- [--places N] [--seed S] [--json]`: flips bits and cuts files in every kind of
// file, and checks which readers notice.
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { runPlaces } from './run-places.ts'

const { values } = parseArgs({
  options: {
    places: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false }
  }
})
const { places, seed, json } = z
  .object({
    places: z.coerce.number().int().min(1),
    seed: z.coerce.number().int(),
    json: z.boolean()
  })
  .parse(values)

const startedMs = performance.now()
const { counts, undetected, ...report } = await runPlaces({
  places,
  seed,
  onProgress: (done) => done % 100 === 0 && process.stderr.write(`${done} places\n`)
})
for (const [kind, count] of Object.entries(counts)) console.log(`${kind.padEnd(24)} ${count}`)
for (const problem of undetected) console.log(`NOT FOUND ${problem}`)
console.log(
  `${report.places} places (${report.flips} bits flipped, ${report.cuts} files cut) in ${Object.keys(counts).length} kinds of files, ${undetected.length} not found, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`
)
if (json)
  console.log(
    JSON.stringify({ ...report, kinds: Object.keys(counts).length, undetected: undetected.length })
  )
process.exitCode = undetected.length === 0 ? 0 : 1
