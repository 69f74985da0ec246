// Formats profiles as lines of text.
import {
  embeddingOfProfile,
  type ProfileDraft,
  type StoredProfile
} from '@likeness/shared/contract/profile'
import type { ProfilePart } from '@likeness/shared/contract/projection'
import { whitened } from '@likeness/vision'
import { describeParts } from '../model/format-model.ts'

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

export function formatProfiles(profiles: readonly StoredProfile[]): string {
  if (profiles.length === 0)
    return 'there are no learned profiles: `likeness profile learn` makes one'
  const columns = profiles.map(({ name, version, model, dim, learned, created_at: madeAt }) => [
    name,
    version,
    model,
    String(dim),
    `${percent(learned.r1_before)} -> ${percent(learned.r1_after)}`,
    madeAt.slice(0, 16).replace('T', ' ')
  ])
  const rows = [['name', 'version', 'model', 'dim', 'held-out R@1', 'made'], ...columns]
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)))
  return rows
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at]!))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

const learnedFrom = ({ from, by, pictures, parts }: ProfileDraft['learned']): string =>
  `${from}: six views of each of ${pictures} pictures${parts === undefined ? `, ${whitened[by]}` : ''}`

/** Formats the results on held-out things that the learning did not use. */
export function formatTrial({ learned, parts }: Pick<ProfileDraft, 'learned' | 'parts'>): string {
  const { by, judged_by: judgedBy, held_out: heldOut, before } = learned
  const asked = judgedBy === 'labels' ? 'each finds its label' : 'a view finds its own'
  const how = learned.parts === undefined ? ` (${whitened[by]})` : ''
  const whole = `of ${heldOut} pictures kept apart ${asked} first in ${percent(learned.r1_after)}${how}; with ${before} in ${percent(learned.r1_before)}, unprojected in ${percent(learned.r1_raw)}`
  return [whole, ...(learned.parts ?? []).map((part, i) => formatPart(part, parts?.[i]))].join('\n')
}

type LearnedPart = NonNullable<ProfileDraft['learned']['parts']>[number]

function formatPart(
  { name, by, weight_before: weightBefore, r1_before: before, r1_learned: learned }: LearnedPart,
  part: ProfilePart | undefined
): string {
  const weights =
    part === undefined
      ? ''
      : `, weight ${part.weight}${weightBefore === null || weightBefore === part.weight ? '' : ` (was ${weightBefore})`}`
  return `  ${name}: ${whitened[by]}${weights}; alone ${before === null ? '' : `${percent(before)} as it was, `}${percent(learned)} learned`
}

export function formatProfile(profile: StoredProfile, others: readonly StoredProfile[]): string {
  const { name, version, model, dim, raw_dim: rawDim, learned, created_at: madeAt } = profile
  const lines: [string, string][] = [
    ['profile', `${name}@${version}, ${rawDim} -> ${dim} numbers${describeParts(profile)}`],
    ['embedding', embeddingOfProfile(profile).version],
    ['model', model],
    ['learned', learnedFrom(learned)],
    ['tried', formatTrial(profile).replaceAll('\n', `\n${' '.repeat(12)}`)],
    ['made', madeAt],
    ...others.map((other): [string, string] => [
      'earlier',
      `${other.name}@${other.version}, made ${other.created_at}`
    ])
  ]
  return lines.map(([what, text]) => `${what.padEnd(10)}  ${text}`).join('\n')
}
