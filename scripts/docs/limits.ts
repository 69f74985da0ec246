// The page of all bounds: `node --import tsx scripts/docs/write-limits.ts` writes docs/limits.md.
import { type Limit, limits } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'

const head = `# Limits

Every bound on the cost of one request. \`packages/shared/src/contract/limits.ts\` holds the bounds, and
\`scripts/docs/write-limits.ts\` writes this page from them.

An answer beyond a bound has the status and the code of its row. It names the bound, its value and the size that was
asked for. Nothing of such a request is stored.

Settings can change further bounds: [MAX_UPLOAD_BYTES, MAX_IMAGE_PIXELS and others](settings.md).
`

/** 16777216 is easier to read as 16 MiB. */
function valueText({ value, unit }: Limit): string {
  if (unit === 'bytes' && value % 1024 ** 2 === 0) return `${value / 1024 ** 2} MiB`
  if (unit === 'bytes' && value % 1024 === 0) return `${value / 1024} KiB`
  if (unit === 'milliseconds') return `${value / 1000} s`
  return `${value.toLocaleString('en').replaceAll(',', ' ')} ${unit}`
}

const rowOf = (limit: Limit): string =>
  `| ${limit.what} | ${valueText(limit)} | ${beyondText(limit)} |`

const beyondText = ({ code }: Limit): string =>
  code === undefined ? '' : `${appError(code, '').status} \`${code}\``

export function limitsPage(): string {
  const areas = [...new Set(limits.map(({ area }) => area))]
  const tables = areas.map((area) =>
    [
      `## ${area}`,
      '',
      '| bound | at most | beyond |',
      '|---|---|---|',
      ...limits.filter((limit) => limit.area === area).map(rowOf)
    ].join('\n')
  )
  return `${[head, ...tables].join('\n\n').replace(/\n{3,}/g, '\n\n')}\n`
}
