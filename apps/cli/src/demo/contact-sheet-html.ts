// The contact sheet as HTML with the pictures inside. Labels are the user's text: everything is
// escaped.
import { escapeHtml } from '@likeness/shared/data/escape-html'

export interface SheetRow {
  name: string
  label: string | undefined
  ms: number
  /** JPEG bytes. */
  query: Uint8Array
  hits: { label: string; score: number; image: Uint8Array; isRight: boolean | undefined }[]
}

const picture = (image: Uint8Array): string =>
  `<img alt="" src="data:image/jpeg;base64,${Buffer.from(image).toString('base64')}">`

const verdictClass = (isRight: boolean | undefined): string => {
  if (isRight === undefined) return ''
  return isRight ? ' right' : ' wrong'
}

function renderRow({ name, label, ms, query, hits }: SheetRow): string {
  const figures = hits.map(
    (hit) =>
      `<figure class="hit${verdictClass(hit.isRight)}">${picture(hit.image)}<figcaption>${escapeHtml(hit.label)}<br>${hit.score.toFixed(3)}</figcaption></figure>`
  )
  const caption = `${escapeHtml(label ?? name)}<br>${escapeHtml(name)}, ${ms.toFixed(0)} ms`
  return `<article><figure class="query">${picture(query)}<figcaption>${caption}</figcaption></figure>${figures.join('') || '<p>unknown</p>'}</article>`
}

export function renderSheetHtml({
  title,
  rows
}: {
  title: string
  rows: readonly SheetRow[]
}): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>
body { font: 13px/1.4 system-ui, sans-serif; margin: 24px; background: #f4f4f2; color: #222 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(560px, 1fr)); gap: 12px }
article { display: flex; gap: 10px; background: #fff; border-radius: 8px; padding: 10px; align-items: flex-start }
figure { margin: 0; width: 110px; text-align: center; overflow-wrap: anywhere }
figure.query { width: 180px }
img { width: 100%; height: 110px; object-fit: contain; box-sizing: border-box; border: 3px solid #ddd; border-radius: 4px; background: #fff }
.query img { height: 170px }
.right img { border-color: #1e9646 }
.wrong img { border-color: #c83228 }
</style></head>
<body><h1>${escapeHtml(title)}</h1>
<main>
${rows.map(renderRow).join('\n')}
</main></body></html>
`
}
