// Formats profiles as lines of text.
import {
  embeddingOfProfile,
  type ProfileDraft,
  type StoredProfile
} from '@likeness/shared/contract/profile'
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

const learnedFrom = ({ from, by, pictures }: ProfileDraft['learned']): string =>
  `${from}: six views of each of ${pictures} pictures, ${whitened[by]}`

/** Formats the results on held-out things that the learning did not use. */
export const formatTrial = ({
  learned: {
    by,
    judged_by: judgedBy,
    held_out: heldOut,
    before,
    r1_raw: raw,
    r1_before: was,
    r1_after: is
  }
}: Pick<ProfileDraft, 'learned'>): string =>
  `of ${heldOut} pictures kept apart ${judgedBy === 'labels' ? 'each finds its label' : 'a view finds its own'} first in ${percent(is)} (${whitened[by]}); with ${before} in ${percent(was)}, unprojected in ${percent(raw)}`

export function formatProfile(profile: StoredProfile, others: readonly StoredProfile[]): string {
  const { name, version, model, dim, raw_dim: rawDim, learned, created_at: madeAt } = profile
  const lines: [string, string][] = [
    ['profile', `${name}@${version}, ${rawDim} -> ${dim} numbers${describeParts(profile)}`],
    ['embedding', embeddingOfProfile(profile).version],
    ['model', model],
    ['learned', learnedFrom(learned)],
    ['tried', formatTrial(profile)],
    ['made', madeAt],
    ...others.map((other): [string, string] => [
      'earlier',
      `${other.name}@${other.version}, made ${other.created_at}`
    ])
  ]
  return lines.map(([what, text]) => `${what.padEnd(10)}  ${text}`).join('\n')
}
