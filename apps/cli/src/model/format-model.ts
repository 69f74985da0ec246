// Formats models as lines of text.
import type { PooledMap, QuantizedEntry, SemanticModel, SemanticOrigin } from '@likeness/vision'
import type { ShownManifest } from './model-folders.ts'

const megabytes = (sizeBytes: number): string => `${(sizeBytes / 1e6).toFixed(1)} MB`

export function formatModels(models: readonly ShownManifest[]): string {
  const width = Math.max(4, ...models.map(({ name }) => name.length))
  const rows = models.map(({ name, version, sizeBytes, raw, profile, measured }) =>
    [
      name.padEnd(width),
      version.padEnd(12),
      megabytes(sizeBytes).padStart(8),
      `${raw.dim} -> ${profile?.dim ?? '-'}`.padStart(12),
      measured === undefined ? '' : `${measured.msPerPicture} ms`
    ]
      .join('  ')
      .trimEnd()
  )
  return [
    `${'name'.padEnd(width)}  ${'version'.padEnd(12)}  ${'size'.padStart(8)}  ${'vectors'.padStart(12)}`,
    ...rows
  ].join('\n')
}

export function formatModel(model: ShownManifest): string {
  const lines = [...describeModel(model), ...describeOrigin(model)]
  return lines.map(([what, text]) => `${what.padEnd(10)}  ${text}`).join('\n')
}

/** Describes the kind of a model and the output. */
function describeModel({
  name,
  version,
  licence,
  layout,
  sizeBytes,
  raw,
  classes,
  profile,
  embedding,
  learned,
  semantic
}: ShownManifest): [string, string][] {
  return [
    ['model', `${name} ${version}, ${megabytes(sizeBytes)}`],
    ['licence', licence ?? 'the export names none'],
    ['layout', layout],
    [
      'classes',
      `${classes.length}: ${classes.slice(0, 8).join(', ')}${classes.length > 8 ? ', ...' : ''}`
    ],
    [
      'raw vector',
      `${raw.dim} numbers: ${[...(semantic?.kind === 'semantic' ? [] : raw.maps.map(describeMap)), ...(semantic ? [`${semantic.dim} of the embedder`] : [])].join('; ')}`
    ],
    ...(semantic === undefined
      ? []
      : [
          [
            'embedder',
            `${semantic.file}, ${semantic.origin?.layout ?? describeOlder(semantic)}; sha256 ${semantic.sha256}`
          ] as [string, string],
          ...describeEmbedder(semantic.origin)
        ]),
    [
      'profile',
      profile === undefined
        ? 'none'
        : `${profile.name}@${profile.version}, ${profile.dim} numbers${describeParts(profile)}`
    ],
    ...(embedding === undefined ? [] : [['embedding', `${embedding.version}`] as [string, string]]),
    ...(learned === undefined ? [] : [['learned', learned.text] as [string, string]])
  ]
}

const describeMap = ({ stride, channels, grid, part, pool }: PooledMap): string =>
  [
    `stride ${Number(stride.toFixed(2))}`,
    `${channels} channels`,
    `${grid}x${grid}`,
    ...(part === undefined ? [] : [part]),
    ...(pool === undefined ? [] : [pool])
  ].join(', ')

/** Empty for a profile of one part. */
export const describeParts = ({
  parts
}: {
  parts?: readonly { name: string; dim: number; weight: number }[] | undefined
}): string =>
  parts === undefined
    ? ''
    : `: ${parts.map(({ name, dim, weight }) => `${name} ${dim} (weight ${weight})`).join(', ')}`

/** Models that were imported before their origin was kept. */
const describeOlder = ({ size, normalisation }: SemanticModel): string =>
  `each box at ${size.width}x${size.height}, ${String(normalisation)}`

function describeEmbedder(origin: SemanticOrigin | undefined): [string, string][] {
  if (origin === undefined) return []
  const { licence, interpolation, notes } = origin
  return [
    ['', `its licence: ${licence ?? 'no file beside it names one'}`],
    [
      '',
      `its pictures: ${interpolation.used}${interpolation.trainedWith === null ? '' : ` (trained with ${interpolation.trainedWith})`}`
    ],
    ...notes.map((note): [string, string] => ['', note])
  ]
}

/** Describes the origin of a model and the result of the checks. */
function describeOrigin({
  exported,
  checked,
  measured,
  quantized
}: ShownManifest): [string, string][] {
  return [
    ...(exported === undefined
      ? []
      : [
          [
            'export',
            `${exported.file}, opset ${exported.opset}, batch ${exported.batch}, ${exported.description ?? 'no description'}; sha256 ${exported.sha256}`
          ] as [string, string]
        ]),
    ...(checked === undefined
      ? []
      : [
          [
            'checked',
            `${checked.boxes} boxes against the oracle, smallest cosine ${checked.cosine.toFixed(6)}; ${checked.batch === 'any' ? 'any number of pictures a run' : `one picture a run (${checked.batchReason})`}`
          ] as [string, string]
        ]),
    ...(measured === undefined
      ? []
      : [
          [
            'measured',
            `${measured.msPerPicture} ms a picture, ${measured.threads} thread of ${measured.processor}`
          ] as [string, string]
        ]),
    ...(quantized === undefined ? [] : describeQuantized(quantized))
  ]
}

function describeQuantized({
  source,
  calibration,
  convolutions,
  ms,
  detections: { pictures, kept, reverse },
  recall
}: QuantizedEntry): [string, string][] {
  return [
    [
      'int8 of',
      `${source.embedding}, sha256 ${source.sha256}; ${convolutions.int8} of ${convolutions.int8 + convolutions.float} convolutions, ranges from ${calibration.pictures} pictures`
    ],
    [
      'kept',
      `on ${pictures} others: ${percent(kept.share)} of ${kept.boxes} boxes, ${percent(reverse.share)} the other way; R@1 of ${recall.queries} views ${percent(recall.float)} before, ${percent(recall.int8)} now; ${ms.float} ms before, ${ms.int8} now`
    ]
  ]
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
