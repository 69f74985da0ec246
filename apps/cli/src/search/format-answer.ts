// Formats an answer as lines for a terminal: per subject its box, then label, score and file of
// each hit.
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { shownObjects } from './search-picture.ts'

type AnsweredObject = SearchAnswer['objects'][number]

const boxText = (box: readonly number[]): string =>
  `[${box.map((value) => Math.round(value)).join(' ')}]`

export function describeObject({
  kind,
  box,
  class: className,
  detector_score: score
}: AnsweredObject): string {
  if (kind === 'whole') return 'whole picture'
  const what = [className, score === null ? undefined : score.toFixed(2)]
    .filter((part) => part !== null && part !== undefined)
    .join(' ')
  return `${box === null ? kind : boxText(box)}${what === '' ? '' : ` ${what}`}`
}

/**
 * Replaces control characters: labels are the user's text, and control characters would write over
 * the terminal.
 */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')

const percent = (confidence: number): string => `${Math.round(100 * confidence)} %`
const sureText = (confidence: number | null): string =>
  confidence === null ? '' : `${percent(confidence).padStart(5)}  `

/** match, unsure or UNKNOWN with what it looks most like; empty where nothing is said. */
export function verdictText({ verdict, hits }: Pick<AnsweredObject, 'verdict' | 'hits'>): string {
  const [first] = hits
  if (first === undefined) return ': unknown'
  if (first.confidence === null) return ''
  const name = printable(first.label ?? first.id)
  return verdict === 'unknown'
    ? `: UNKNOWN, looks most like ${name}`
    : `: ${verdict}, ${percent(first.confidence)} sure`
}

export function formatAnswer(name: string, answer: SearchAnswer): string {
  const { picture } = answer
  const lines = [
    `${printable(name)}${picture === null ? '' : ` (${picture.width} x ${picture.height})`}`
  ]
  for (const object of shownObjects(answer)) {
    lines.push(`  ${describeObject(object)}${verdictText(object)}`)
    const width = Math.max(0, ...object.hits.map(({ label }) => (label ?? '-').length))
    for (const { label, score, confidence, id } of object.hits)
      lines.push(
        `    ${printable((label ?? '-').padEnd(width))}  ${score.toFixed(4)}  ${sureText(confidence)}${printable(id)}`
      )
  }
  return lines.join('\n')
}

/** The line of --json for a picture. */
export function jsonAnswer(file: string, answer: SearchAnswer): Record<string, unknown> {
  return {
    file,
    picture: answer.picture,
    objects: shownObjects(answer).map(
      ({ kind, box, class: className, detector_score, verdict, hits }) => ({
        kind,
        box,
        class: className,
        detector_score,
        verdict,
        label: hits[0]?.label ?? 'unknown',
        score: hits[0]?.score ?? null,
        confidence: hits[0]?.confidence ?? null,
        hits: hits.map(
          ({ id, label, score, confidence, margin, distance, metric, box: hitBox, metadata }) => ({
            file: id,
            label,
            score,
            confidence,
            ...(margin !== undefined && { margin }),
            distance,
            metric,
            box: hitBox,
            metadata
          })
        )
      })
    ),
    ms: answer.took_ms.total
  }
}
