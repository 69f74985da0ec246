import { z } from 'zod'
import type { ItemVersion } from '../item/item-version.ts'

export const tombstoneFileSchema = z.record(
  z.string().regex(/^[0-9a-f]{32}$/),
  z.tuple([z.number().int(), z.number().int()])
)
/** Encodes [revision, ordinal] by hash in hex. */
export function encodeTombstones(tombstones: ReadonlyMap<string, ItemVersion>): Uint8Array {
  return Buffer.from(
    JSON.stringify(
      Object.fromEntries(
        [...tombstones].map(([name, { revision, ordinal }]) => [
          Buffer.from(name, 'latin1').toString('hex'),
          [revision, ordinal]
        ])
      )
    )
  )
}
export function decodeTombstones(body: Uint8Array): Map<string, ItemVersion> {
  const file = tombstoneFileSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')))
  return new Map(
    Object.entries(file).map(([hex, [revision, ordinal]]) => [
      Buffer.from(hex, 'hex').toString('latin1'),
      { revision, ordinal }
    ])
  )
}
