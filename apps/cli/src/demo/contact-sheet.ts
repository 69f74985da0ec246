// The contact sheet: each query beside its best hits, as a single self-contained HTML file and as a
// single PNG.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { ApiClient } from '../api/api-client.ts'
import { openPicture } from '../pictures/open-picture.ts'
import { renderSheetHtml, type SheetRow } from './contact-sheet-html.ts'
import type { QueryResult } from './run-queries.ts'

const hitsShown = 3
const tile = 120
const gap = 6
const columns = 5
const green = { r: 30, g: 150, b: 70 }
const red = { r: 200, g: 50, b: 40 }
const grey = { r: 170, g: 170, b: 170 }
const white = { r: 255, g: 255, b: 255 }

export interface SheetFiles {
  html: string
  png: string
}

export async function writeContactSheet({
  api,
  results,
  title,
  outDir
}: {
  api: ApiClient
  results: readonly QueryResult[]
  title: string
  outDir: string
}): Promise<SheetFiles> {
  await mkdir(outDir, { recursive: true })
  const rows = await collectRows(api, results)
  const files = { html: join(outDir, 'contact-sheet.html'), png: join(outDir, 'contact-sheet.png') }
  await writeFile(files.html, renderSheetHtml({ title, rows }))
  await writeFile(files.png, await drawSheet(rows))
  return files
}

async function collectRows(api: ApiClient, results: readonly QueryResult[]): Promise<SheetRow[]> {
  const thumbnails = new Map<string, Buffer>()
  const rows: SheetRow[] = []
  for (const result of results) {
    const hits = []
    for (const hit of result.hits.slice(0, hitsShown)) {
      const image = thumbnails.get(hit.thumbnail) ?? (await api.fetchBytes(hit.thumbnail))
      thumbnails.set(hit.thumbnail, image)
      hits.push({
        label: hit.label ?? hit.id,
        score: hit.score,
        image,
        isRight: result.label === undefined ? undefined : hit.label === result.label
      })
    }
    const query = await openPicture(result.image)
      .autoOrient()
      .resize(2 * tile, 2 * tile, { fit: 'inside' })
      .jpeg({ quality: 80 })
      .toBuffer()
    rows.push({ name: result.name, label: result.label, ms: result.ms, query, hits })
  }
  return rows
}

const frameColor = (isRight: boolean | undefined) => {
  if (isRight === undefined) return grey
  return isRight ? green : red
}

/** Returns u8 [tile, tile, 3]: the picture inside a frame of `color`. */
const drawTile = (image: Uint8Array, color: { r: number; g: number; b: number }): Promise<Buffer> =>
  sharp(image)
    .resize(tile - 8, tile - 8, { fit: 'contain', background: white })
    .flatten({ background: white })
    .extend({ top: 4, bottom: 4, left: 4, right: 4, background: color })
    .toColourspace('srgb')
    .raw()
    .toBuffer()

async function drawSheet(rows: readonly SheetRow[]): Promise<Buffer> {
  const groupWidth = (1 + hitsShown) * tile + 3 * gap
  const width = Math.min(columns, rows.length) * groupWidth + gap
  const height = Math.ceil(rows.length / columns) * (tile + gap) + gap
  // A plain copy of the pixels: hundreds of layers are slow to composite.
  const sheet = Buffer.alloc(width * height * 3, 255)
  const put = (pixels: Buffer, left: number, top: number): void => {
    for (let y = 0; y < tile; y++)
      pixels.copy(sheet, 3 * ((top + y) * width + left), 3 * y * tile, 3 * (y + 1) * tile)
  }
  for (const [at, row] of rows.entries()) {
    const left = gap + (at % columns) * groupWidth
    const top = gap + Math.floor(at / columns) * (tile + gap)
    put(await drawTile(row.query, grey), left, top)
    for (const [place, hit] of row.hits.entries())
      put(await drawTile(hit.image, frameColor(hit.isRight)), left + gap + (1 + place) * tile, top)
  }
  return sharp(sheet, { raw: { width, height, channels: 3 } })
    .png({ palette: true, effort: 1 })
    .toBuffer()
}
