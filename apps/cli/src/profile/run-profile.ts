// `likeness profile learn|apply|list|show`: projections learned from a gallery's own pictures.
import { profileReferenceSchema } from '@likeness/shared/contract/profile'
import { HelpAsked, parseCommand } from '../command-options.ts'
import type { Command, CommandContext } from '../command.ts'
import { connect } from '../connect/connect.ts'
import { UserError } from '../user-error.ts'
import { applyToCollection } from './apply-profile.ts'
import { options, profileUsage, type ProfileValues } from './profile-options.ts'
import { runLearn } from './run-learn.ts'

export const runProfile: Command = async (args, context) => {
  const { values, positionals } = parseCommand(args, {
    options,
    usage: profileUsage,
    positionals: true
  })
  const [action, operand, ...more] = positionals
  if (action === undefined) throw new HelpAsked(profileUsage)
  if (more.length > 0) throw new UserError(`${more[0]} is one operand too many\n${profileUsage}`)
  switch (action) {
    case 'learn':
      return runLearn(operand, values, context)
    case 'apply':
      return apply(operand, values, context)
    case 'list':
      return list(values, context)
    case 'show':
      return show(operand, values, context)
    default:
      throw new UserError(`there is no \`profile ${action}\`\n${profileUsage}`)
  }
}

async function apply(
  profile: string | undefined,
  values: ProfileValues,
  context: CommandContext
): Promise<number> {
  const { collection, json } = values
  if (profile === undefined || collection === undefined)
    throw new UserError(`likeness profile apply NAME --collection C\n${profileUsage}`)
  if (!profileReferenceSchema.safeParse(profile).success)
    throw new UserError(`${profile}: NAME, or NAME@VERSION`)
  const changed = await applyToCollection(
    await connect(context, values),
    { collection, profile, wait: !values['no-wait'] },
    context
  )
  if (json) context.print(JSON.stringify(changed))
  else
    context.print(
      changed.seq === undefined
        ? `${collection}: ${changed.profile} is asked for at revision ${changed.revision}`
        : `${collection}: has ${changed.profile} since version ${changed.seq}`
    )
  return 0
}

async function list(values: ProfileValues, context: CommandContext): Promise<number> {
  const profiles = await (await connect(context, values)).listProfiles()
  await context.prepare()
  const { formatProfiles } = await import('./format-profile.ts')
  context.print(values.json ? JSON.stringify(profiles) : formatProfiles(profiles))
  return 0
}

async function show(
  reference: string | undefined,
  values: ProfileValues,
  context: CommandContext
): Promise<number> {
  if (reference === undefined) throw new UserError(`likeness profile show NAME\n${profileUsage}`)
  const api = await connect(context, values)
  const profile = await api.getProfile(reference)
  if (profile === undefined)
    throw new UserError(
      `there is no profile ${reference}: \`likeness profile list\` shows those there are`
    )
  const earlier = (await api.listProfiles()).filter(
    ({ name, version }) => name === profile.name && version !== profile.version
  )
  await context.prepare()
  const { formatProfile } = await import('./format-profile.ts')
  context.print(values.json ? JSON.stringify(profile) : formatProfile(profile, earlier))
  return 0
}
