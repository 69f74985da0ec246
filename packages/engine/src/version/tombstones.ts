// The file of tombstones that programs before 0.4 wrote: [revision, ordinal] by hash in hex.
import { z } from 'zod'
import type { ItemVersion } from '../item/item-version.ts'

const tombstoneFileSchema = z.record(
  z.string().regex(/^[0-9a-f]{32}$/),
  z.tuple([z.number().int(), z.number().int()])
)

export function decodeTombstones(body: Uint8Array): [string, ItemVersion][] {
  const file = tombstoneFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
  return Object.entries(file).map(([hex, [revision, ordinal]]) => [
    Buffer.from(hex, 'hex').toString('latin1'),
    { revision, ordinal }
  ])
}
