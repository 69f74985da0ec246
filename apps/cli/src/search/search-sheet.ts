// Answers as a single self-contained HTML page: each picture with its boxes, and beside each
// picture the hits with their boxes.
import { verdictOf } from '@likeness/shared/confidence/calibration'
import type { HitAnswer, SearchAnswer } from '@likeness/shared/contract/http/search'
import type { ApiClient } from '../api/api-client.ts'
import { ApiProblem } from '../api/api-problem.ts'
import { escapeHtml } from '@likeness/shared/data/escape-html'
import { openPicture } from '../pictures/open-picture.ts'
import { describeObject } from './format-answer.ts'
import { shownObjects } from './search-picture.ts'

export interface SheetEntry {
  name: string
  image: Uint8Array
  answer: SearchAnswer
}

const querySide = 560
const hitSide = 200
const colors = ['#d81b60', '#1e88e5', '#43a047', '#fb8c00', '#8e24aa', '#00897b']
const colorOf = (at: number): string => colors[at % colors.length]!

type Box = readonly [number, number, number, number]
interface Picture {
  /** JPEG bytes. */
  image: Uint8Array
  width: number
  height: number
  boxes: { box: Box; color: string }[]
}

function renderPicture({ image, width, height, boxes }: Picture): string {
  const stroke = Math.max(width, height) / 160
  const rects = boxes.map(
    ({ box: [x1, y1, x2, y2], color }) =>
      `<rect x="${x1}" y="${y1}" width="${x2 - x1}" height="${y2 - y1}" fill="none" stroke="${color}" stroke-width="${stroke}"/>`
  )
  return `<svg viewBox="0 0 ${width} ${height}"><image width="${width}" height="${height}" href="data:image/jpeg;base64,${Buffer.from(image).toString('base64')}"/>${rects.join('')}</svg>`
}

async function renderEntry(
  api: ApiClient,
  thumbnails: Map<string, string>,
  { name, image, answer }: SheetEntry
): Promise<string> {
  const objects = shownObjects(answer)
  const { width, height } = answer.picture!
  const boxes = objects.flatMap(({ box }, at) =>
    box === null ? [] : [{ box, color: colorOf(at) }]
  )
  const parts = []
  for (const [at, object] of objects.entries()) {
    const hits = []
    for (const hit of object.hits) hits.push(await renderHit(api, thumbnails, hit, colorOf(at)))
    parts.push(
      `<section style="border-color:${colorOf(at)}"><h3>${escapeHtml(describeObject(object))}</h3>${renderVerdict(object)}<div class="hits">${hits.join('')}</div></section>`
    )
  }
  return `<article><figure class="query">${renderPicture({ image: await shrink(image, querySide), width, height, boxes })}<figcaption>${escapeHtml(name)}, ${answer.took_ms.total.toFixed(0)} ms</figcaption></figure><div>${parts.join('')}</div></article>`
}

/** What is unknown is said in large letters, with the nearest as what it looks like. */
function renderVerdict({ verdict, hits: [first] }: SearchAnswer['objects'][number]): string {
  if (first === undefined) return '<p class="unknown">unknown</p>'
  const { confidence, label, id } = first
  if (confidence === null) return ''
  return verdict === 'unknown'
    ? `<p class="unknown">unknown</p><p>looks most like ${escapeHtml(label ?? id)}, ${Math.round(100 * confidence)} % sure</p>`
    : `<p>${verdict}, ${Math.round(100 * confidence)} % sure</p>`
}

const isDoubtful = ({ confidence }: HitAnswer): boolean =>
  confidence !== null && verdictOf(confidence) === 'unknown'

async function renderHit(
  api: ApiClient,
  thumbnails: Map<string, string>,
  hit: HitAnswer,
  color: string
): Promise<string> {
  const key = `${hit.image} ${hit.box.join()} ${color}`
  const picture = thumbnails.get(key) ?? (await renderGalleryPicture(api, hit, color))
  thumbnails.set(key, picture)
  return `<figure${isDoubtful(hit) ? ' class="doubtful"' : ''}>${picture}<figcaption><b>${escapeHtml(hit.label ?? '-')}</b> ${hit.score.toFixed(3)}<br>${escapeHtml(hit.id)}</figcaption></figure>`
}

/** Renders a hit's picture. Items with supplied vectors may have no picture. */
async function renderGalleryPicture(
  api: ApiClient,
  { box, image }: HitAnswer,
  color: string
): Promise<string> {
  const bytes = await api.fetchBytes(image).catch((error: unknown) => {
    if (error instanceof ApiProblem && error.status === 404) return undefined
    throw error
  })
  if (bytes === undefined) return '<p class="none">no picture</p>'
  const { width, height } = (await openPicture(bytes).metadata()).autoOrient
  return renderPicture({
    image: await shrink(bytes, hitSide),
    width,
    height,
    boxes: [{ box, color }]
  })
}

const shrink = (image: Uint8Array, side: number): Promise<Buffer> =>
  openPicture(image)
    .autoOrient()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#fff' })
    .jpeg({ quality: 80 })
    .toBuffer()

export async function renderSearchSheet(
  api: ApiClient,
  title: string,
  entries: readonly SheetEntry[]
): Promise<string> {
  const thumbnails = new Map<string, string>()
  const articles = []
  for (const entry of entries) articles.push(await renderEntry(api, thumbnails, entry))
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>
body { font: 13px/1.4 system-ui, sans-serif; margin: 24px; background: #f4f4f2; color: #222 }
article { display: grid; grid-template-columns: minmax(220px, 420px) 1fr; gap: 16px; background: #fff; border-radius: 8px; padding: 12px; margin: 0 0 14px }
section { border-left: 4px solid; padding: 0 0 4px 10px; margin: 0 0 10px }
h3 { font-size: 13px; margin: 0 0 6px }
.hits { display: flex; flex-wrap: wrap; gap: 10px }
figure { margin: 0; width: 130px; overflow-wrap: anywhere }
figure.query { width: auto }
svg { width: 100%; max-height: 420px; background: #fff; border: 1px solid #ddd; border-radius: 4px }
.hits svg { height: 110px }
.doubtful { filter: grayscale(1); opacity: .6 }
.unknown { font-size: 28px; margin: 0; color: #777 }
.none { height: 110px; margin: 0; color: #888 }
</style></head>
<body><h1>${escapeHtml(title)}</h1>
${articles.join('\n')}
</body></html>
`
}
