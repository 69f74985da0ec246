// `likeness profile learn|apply|list|show`: projections learned from a gallery's own pictures.
import { isBuiltInProfile } from '@likeness/shared/contract/picture-settings'
import { profileNameSchema, profileReferenceSchema } from '@likeness/shared/contract/profile'
import type { ApiClient } from '../api-client.ts'
import type { Command, CommandContext } from '../command.ts'
import { connectOptions, connectUsage, existing, HelpAsked, parseCommand } from '../command-options.ts'
import { connect } from '../connect/connect.ts'
import { findModelDir } from '../model/model-folders.ts'
import { UserError } from '../user-error.ts'
import { applyToCollection } from './apply-profile.ts'
import { formatProfile, formatProfiles, formatTrial } from './format-profile.ts'
import { choosePictures, collectionPictures, folderPictures } from './gallery-references.ts'
import type { SourcePicture } from './gallery-references.ts'
import { learnFromStack } from './learn-from-stack.ts'

const profileUsage = `likeness profile learn --collection C [options]   learns a projection from the pictures of a collection
likeness profile learn DIR --name N [options]    the same from a folder of pictures (sub-folders are labels)
  --name N        what it is called (default: the collection's name)
  --labels        whiten what varies within labels, nothing else (default: what finds most, tried on pictures kept apart)
  --views         whiten what varies between views of one picture, nothing else
  --model NAME    the stack's model by its name or folder, where this machine does not know it
likeness profile apply NAME[@VERSION] --collection C   gives a collection that exists another profile of its model
  --no-wait       returns once it is asked for
likeness profile list                            shows those there are
likeness profile show NAME[@VERSION]             what is known of one
  --json          the last line is a JSON object
${connectUsage}
A profile is kept only if it finds clearly more than the model's own projection among things that it was not learned from;
else nothing changes, and the exit code is 1. \`profile: N\` in a gallery's yaml, or at creation, makes a collection with it.`

const options = {
  ...connectOptions,
  collection: { type: 'string' }, name: { type: 'string' }, model: { type: 'string' },
  'no-wait': { type: 'boolean', default: false }, labels: { type: 'boolean', default: false }, views: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }
} as const

export const runProfile: Command = async (args, context) => {
  const { values, positionals } = parseCommand(args, { options, usage: profileUsage, positionals: true })
  const [action, operand, ...more] = positionals
  if (action === undefined) throw new HelpAsked(profileUsage)
  if (more.length > 0) throw new UserError(`${more[0]} is one operand too many\n${profileUsage}`)
  switch (action) {
    case 'learn': return learn(operand, values, context)
    case 'apply': return apply(operand, values, context)
    case 'list': return list(values, context)
    case 'show': return show(operand, values, context)
    default: throw new UserError(`there is no \`profile ${action}\`\n${profileUsage}`)
  }
}

type Values = ReturnType<typeof parseCommand<typeof options>>['values']

async function learn(folder: string | undefined, values: Values, context: CommandContext): Promise<number> {
  const { collection, name = collection, labels, views, model, json } = values
  if ((folder === undefined) === (collection === undefined)) throw new UserError(`either DIR or --collection says what it is learned from\n${profileUsage}`)
  if (labels && views) throw new UserError('--labels or --views: one of them')
  if (name !== undefined && isBuiltInProfile(name)) throw new UserError(`--name ${name}: this is the name of a built-in profile; choose another, and use both as \`profile: ${name}/NAME\``)
  if (name === undefined || !profileNameSchema.safeParse(name).success) throw new UserError(name === undefined ? `--name is missing\n${profileUsage}` : `--name ${name}: 1-63 of a-z 0-9 . _ - and a letter or digit first`)
  const dir = folder === undefined ? undefined : existing(folder, 'folder')
  const modelDir = model === undefined ? undefined : findModelDir(model, values.data)
  const ways = labels ? ['labels' as const] : views ? ['views' as const] : undefined
  // What lies on the disk is looked at before anything is started.
  const ofFolder = dir === undefined ? undefined : choosePictures(await folderPictures(dir))
  const api = await connect(context, values)
  const pictures = ofFolder ?? choosePictures(await picturesOf(api, collection!))
  const { draft, stored } = await learnFromStack({ api, name, from: dir === undefined ? `collection ${collection}` : 'a folder', pictures, ways, modelDir, data: values.data }, context)
  context.print(formatTrial(draft))
  context.print(stored === undefined ? 'this is not clearly better than what the model has: no profile is kept, nothing has changed' : `${stored.name}@${stored.version} is kept: \`profile: ${stored.name}\` in a gallery's yaml uses it`)
  if (json) context.print(JSON.stringify(stored === undefined ? { kept: false, ...draft } : { kept: true, ...stored }))
  return stored === undefined ? 1 : 0
}

async function picturesOf(api: ApiClient, collection: string): Promise<SourcePicture[]> {
  if ((await api.getCollection(collection)) === undefined) throw new UserError(`there is no collection ${collection}: \`likeness status\` shows those there are`)
  return await collectionPictures(api, collection)
}

async function apply(profile: string | undefined, values: Values, context: CommandContext): Promise<number> {
  const { collection, json } = values
  if (profile === undefined || collection === undefined) throw new UserError(`likeness profile apply NAME --collection C\n${profileUsage}`)
  if (!profileReferenceSchema.safeParse(profile).success) throw new UserError(`${profile}: NAME, or NAME@VERSION`)
  const changed = await applyToCollection(await connect(context, values), { collection, profile, wait: !values['no-wait'] }, context)
  if (json) context.print(JSON.stringify(changed))
  else context.print(changed.seq === undefined ? `${collection}: ${changed.profile} is asked for at revision ${changed.revision}` : `${collection}: has ${changed.profile} since version ${changed.seq}`)
  return 0
}

async function list(values: Values, context: CommandContext): Promise<number> {
  const profiles = await (await connect(context, values)).listProfiles()
  context.print(values.json ? JSON.stringify(profiles) : formatProfiles(profiles))
  return 0
}

async function show(reference: string | undefined, values: Values, context: CommandContext): Promise<number> {
  if (reference === undefined) throw new UserError(`likeness profile show NAME\n${profileUsage}`)
  const api = await connect(context, values)
  const profile = await api.getProfile(reference)
  if (profile === undefined) throw new UserError(`there is no profile ${reference}: \`likeness profile list\` shows those there are`)
  const earlier = (await api.listProfiles()).filter(({ name, version }) => name === profile.name && version !== profile.version)
  context.print(values.json ? JSON.stringify(profile) : formatProfile(profile, earlier))
  return 0
}
