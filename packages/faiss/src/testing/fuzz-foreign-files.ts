// Runs in its own process: `CHANGES FILE...`. Changes each file so many times and reads the result.
// A crash ends only this process.
import { readFileSync, writeFileSync } from 'node:fs'
import { seededRandom } from '@likeness/shared/data/random'
import { FaissError } from '../faiss-error.ts'
import { readForeignVectors } from '../foreign-vectors.ts'

const random = seededRandom(7)
const below = (limit: number) => Math.floor(random() * limit)
const extremes = [0n, 1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 40n, 2n ** 61n, 2n ** 62n, -(2n ** 63n)]

/**
 * Returns the bytes with one damage: a cut, flipped bits, or a number replaced by an extreme
 * number. Half of the damages are near the front, where the sizes are.
 */
function damage(whole: Buffer): Buffer {
  const bytes = Buffer.from(whole)
  const place = below(random() < 0.5 ? Math.min(400, bytes.length) : bytes.length)
  switch (below(4)) {
    case 0:
      return bytes.subarray(0, place)
    case 1:
      if (place + 8 <= bytes.length) bytes.writeBigInt64LE(extremes[below(extremes.length)]!, place)
      return bytes
    case 2:
      for (let i = 0; i < 8; i++) bytes[below(bytes.length)]! ^= 1 << below(8)
      return bytes
    default:
      bytes[place]! ^= 1 << below(8)
      return bytes
  }
}

const counts = { read: 0, refused: 0, strange: 0 }
const [changes, ...files] = process.argv.slice(2)
for (const file of files) {
  const whole = readFileSync(file)
  for (let i = 0; i < Number(changes); i++) {
    writeFileSync(`${file}.fuzz`, damage(whole))
    try {
      const { ids, vectors, dim } = await readForeignVectors(`${file}.fuzz`)
      if (vectors.length !== ids.length * dim) counts.strange++
      counts.read++
    } catch (error) {
      if (
        !(error instanceof FaissError) ||
        !['data_corrupt', 'unsupported_index'].includes(error.code)
      )
        counts.strange++
      counts.refused++
    }
  }
}
process.stdout.write(
  `${JSON.stringify({ ...counts, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) })}\n`
)
