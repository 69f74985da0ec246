// Seeded rows of packed bits, and Hamming search written in the simplest way.
import { seededRandom } from '@likeness/shared/data/random'
import { BinaryIndex } from '../binary-index.ts'
import type { IndexKind } from '../index-handle.ts'
import { trainBinaryCentroids } from '../train-centroids.ts'
import type { Hit } from './brute-force.ts'
import { nlist } from './every-kind.ts'

/**
 * Returns rows around a few centres. Each row differs from its centre in about a quarter of the
 * bits.
 */
export function seededBits(seed: number, rows: number, bits: number): Uint8Array {
  const random = seededRandom(seed)
  const bytes = bits / 8
  const centres = Uint8Array.from({ length: 20 * bytes }, () => random() * 256)
  return Uint8Array.from({ length: rows * bytes }, (_, i) => {
    const centre = (Math.floor(i / bytes) * 7) % 20
    return centres[centre * bytes + (i % bytes)]! ^ ((random() * 256) & (random() * 256))
  })
}

export function differingBits(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, byte, i) => sum + (byte ^ b[i]!).toString(2).replaceAll('0', '').length, 0)
}

/** Returns all rows that `keep` accepts, nearest first. Equal distances are ordered by row. */
export function rankBits(
  rows: Uint8Array,
  bits: number,
  query: Uint8Array,
  keep = (_row: number) => true
): Hit[] {
  const bytes = bits / 8
  const hits: Hit[] = []
  for (let row = 0; row < rows.length / bytes; row++) {
    if (keep(row))
      hits.push({
        row,
        distance: differingBits(query, rows.subarray(row * bytes, (row + 1) * bytes))
      })
  }
  return hits.sort((a, b) => a.distance - b.distance || a.row - b.row)
}

/** Returns a filled index. IVF is trained on the rows themselves. */
export async function binaryIndexOf(
  kind: IndexKind,
  rows: Uint8Array,
  bits: number
): Promise<BinaryIndex> {
  const index = BinaryIndex.create(
    kind === 'ivf'
      ? { kind, bits, centroids: await trainBinaryCentroids(rows, { bits, nlist }) }
      : { kind, bits }
  )
  await index.add(rows)
  return index
}
