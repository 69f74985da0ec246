// Whether the payload of a segment, its columns and its updates are of its items.
import { open } from 'node:fs/promises'
import { openColumnFile } from '../columns/column-file.ts'
import { codeCount } from '../columns/column.ts'
import { itemHash } from '../item/item-hash.ts'
import { decodePayload } from '../item/item-payload.ts'
import { decodePayloadUpdates } from '../item/payload-updates.ts'
import { hashOf, type ItemTable } from '../segment/item-table.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

const itemsPerRead = 1024

/** Verifies that every item can be read and has the id of its hash. */
export async function verifyPayload(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  meta: ItemTable | undefined
): Promise<void> {
  const { key } = ref.files.payload
  await inspection.open(ref.files.payload, async (path) => {
    if (meta === undefined) return
    const file = await open(path)
    try {
      for (let first = 0; first < meta.items; first += itemsPerRead)
        checkItems(inspection, key, meta, await readItems(file, meta, first))
    } finally {
      await file.close()
    }
  })
}

async function readItems(
  file: Awaited<ReturnType<typeof open>>,
  { items, payloadOffset }: ItemTable,
  first: number
) {
  const end = Math.min(items, first + itemsPerRead)
  const start = payloadOffset[first]!
  const body = Buffer.alloc(Math.max(0, payloadOffset[end]! - start))
  await file.read(body, 0, body.length, start)
  return Array.from({ length: end - first }, (_, i) => ({
    item: first + i,
    body: body.subarray(payloadOffset[first + i]! - start, payloadOffset[first + i + 1]! - start)
  }))
}

function checkItems(
  inspection: VerifyFiles,
  key: string,
  meta: ItemTable,
  items: readonly { item: number; body: Buffer }[]
): void {
  for (const { item, body } of items) {
    const { id, rows } = decodePayload(body)
    const owned = meta.firstRow[item + 1]! - meta.firstRow[item]!
    inspection.expect(
      itemHash(id).equals(hashOf(meta, item)),
      'content',
      key,
      `item ${item} is ${id}, its hash is another's`
    )
    inspection.expect(
      rows.length === owned,
      'count',
      key,
      `${id} describes ${rows.length} rows and has ${owned}`
    )
  }
}

export async function verifyColumns(inspection: VerifyFiles, ref: ManifestSegment): Promise<void> {
  const { columns } = ref.files
  if (columns === undefined) return
  await inspection.read(columns, async (body) => {
    const file = await openColumnFile(async (offset, length) =>
      body.subarray(offset, offset + length)
    )
    inspection.expect(
      file.items === ref.items,
      'count',
      columns.key,
      `columns of ${file.items} items, the manifest says ${ref.items}`
    )
    for (const name of file.names) {
      const column = (await file.read(name))!
      const count = codeCount(column)
      inspection.expect(
        column.items !== undefined || column.codes.length === file.items,
        'count',
        columns.key,
        `${name} has ${column.codes.length} values for ${file.items} items`
      )
      inspection.expect(
        column.codes.every((code) => code < count),
        'content',
        columns.key,
        `${name} has a value that is not in its dictionary`
      )
    }
  })
}

export async function verifyOverlay(
  inspection: VerifyFiles,
  { overlay, items }: ManifestSegment
): Promise<void> {
  if (overlay === undefined) return
  await inspection.read(overlay, (body) => {
    const beyond = [...decodePayloadUpdates(body).keys()].filter((item) => item >= items).length
    inspection.expect(
      beyond === 0,
      'count',
      overlay.key,
      `relabels ${beyond} items beyond the ${items} of its segment`
    )
  })
}
