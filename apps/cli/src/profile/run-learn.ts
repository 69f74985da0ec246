// `likeness profile learn`: learns once, or each time that a collection has grown. A better profile
// is kept, and applied to the collection on request.
import { setTimeout as pause } from 'node:timers/promises'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { isBuiltInProfile } from '@likeness/shared/contract/picture-settings'
import { profileNameSchema } from '@likeness/shared/contract/profile'
import { messageOf } from '@likeness/shared/errors'
import type { ApiClient } from '../api/api-client.ts'
import { existing } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { connect } from '../connect/connect.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { findModelDir } from '../model/model-folders.ts'
import { UserError } from '../user-error.ts'
import { applyToCollection } from './apply-profile.ts'
import type { Learned, LearnRequest } from './learn-from-stack.ts'
import { profileUsage, type ProfileValues } from './profile-options.ts'

const defaultAfter = 2_000
const pollMs = 2_000

interface Options extends Pick<LearnRequest, 'name' | 'ways' | 'modelDir' | 'data'> {
  after: number | undefined
  apply: boolean
  watch: boolean
}

function waysOf({ labels, views }: Pick<ProfileValues, 'labels' | 'views'>): LearnRequest['ways'] {
  if (labels) return ['labels']
  return views ? ['views'] : undefined
}

function optionsOf({
  collection,
  name = collection,
  labels,
  views,
  model,
  data,
  after,
  apply,
  watch
}: ProfileValues): Options {
  if (labels && views) throw new UserError('--labels or --views: one of them')
  if (name !== undefined && isBuiltInProfile(name))
    throw new UserError(
      `--name ${name}: this is the name of a built-in profile; choose another, and use both as \`profile: ${name}/NAME\``
    )
  if (name === undefined || !profileNameSchema.safeParse(name).success)
    throw new UserError(
      name === undefined
        ? `--name is missing\n${profileUsage}`
        : `--name ${name}: 1-63 of a-z 0-9 . _ - and a letter or digit first`
    )
  if (collection === undefined && (after !== undefined || apply || watch))
    throw new UserError('--after, --apply and --watch are for --collection')
  if (after !== undefined && !/^[1-9]\d{0,8}$/.test(after))
    throw new UserError(`--after ${after}: a number of items`)
  const modelDir = model === undefined ? undefined : findModelDir(model, data)
  return {
    name,
    modelDir,
    data,
    ways: waysOf({ labels, views }),
    after: after === undefined ? undefined : Number(after),
    apply: apply || watch,
    watch
  }
}

export async function runLearn(
  folder: string | undefined,
  values: ProfileValues,
  context: CommandContext
): Promise<number> {
  const { collection } = values
  if ((folder === undefined) === (collection === undefined))
    throw new UserError(`either DIR or --collection says what it is learned from\n${profileUsage}`)
  const options = optionsOf(values)
  if (folder !== undefined) {
    // Reads the folder before any process starts.
    const { choosePictures, folderPictures } = await import('./gallery-references.ts')
    const pictures = choosePictures(await folderPictures(existing(folder, 'folder')))
    const { learnFromStack } = await loadLearning(context)
    return await tell(
      await learnFromStack(
        {
          ...options,
          api: await connect(context, values),
          from: 'a folder',
          pictures,
          against: undefined
        },
        context
      ),
      values,
      context
    )
  }
  const api = await connect(context, values)
  const learn = (): Promise<number> =>
    learnOfCollection(api, options, { ...values, collection: collection! }, context)
  if (!options.watch) {
    if (options.after !== undefined) await untilItems(api, collection!, options.after, context)
    return await learn()
  }
  for (
    let after = options.after ?? defaultAfter;
    ;
    after = 2 * Math.max(after, (await mustHave(api, collection!)).items)
  ) {
    await untilItems(api, collection!, after, context)
    await learn().catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error
      context.say(messageOf(error))
    })
  }
}

/** Loads the runtime of the models, which a fresh clone does not have. */
async function loadLearning(context: CommandContext) {
  await context.prepare()
  return await import('./learn-from-stack.ts')
}

async function mustHave(api: ApiClient, collection: string): Promise<CollectionAnswer> {
  const there = await keepTrying(() => api.getCollection(collection))
  if (there === undefined)
    throw new UserError(
      `there is no collection ${collection}: \`likeness status\` shows those there are`
    )
  return there
}

async function untilItems(
  api: ApiClient,
  collection: string,
  count: number,
  context: CommandContext
): Promise<void> {
  for (let isSaid = false; (await mustHave(api, collection)).items < count; await pause(pollMs)) {
    if (!isSaid) context.say(`${collection}: waiting until it has ${count} items`)
    isSaid = true
  }
}

async function learnOfCollection(
  api: ApiClient,
  options: Options,
  values: ProfileValues & { collection: string },
  context: CommandContext
): Promise<number> {
  const { collection } = values
  const { embedding } = await mustHave(api, collection)
  const { choosePictures, collectionPictures } = await import('./gallery-references.ts')
  const { learnFromStack } = await loadLearning(context)
  const pictures = choosePictures(await collectionPictures(api, collection))
  const learned = await learnFromStack(
    { ...options, api, from: `collection ${collection}`, pictures, against: embedding.version },
    context
  )
  const { stored } = learned
  const isApplied = stored !== undefined && options.apply
  if (isApplied)
    await applyToCollection(
      api,
      { collection, profile: `${stored.name}@${stored.version}`, wait: true },
      context
    )
  return tell(learned, values, context, isApplied ? `${collection} has it` : undefined)
}

/** Exit code 1 when the profile is not kept. */
async function tell(
  { draft, stored }: Learned,
  { json }: ProfileValues,
  context: CommandContext,
  applied?: string
): Promise<number> {
  const { formatTrial } = await import('./format-profile.ts')
  context.print(formatTrial(draft))
  if (stored === undefined)
    context.print(
      `this is not clearly better than ${draft.learned.before}: no profile is kept, nothing has changed`
    )
  else
    context.print(
      `${stored.name}@${stored.version} is kept: ${applied ?? `\`profile: ${stored.name}\` in a gallery's yaml uses it, \`likeness profile apply\` gives it to a collection`}`
    )
  if (json)
    context.print(
      JSON.stringify(
        stored === undefined
          ? { kept: false, ...draft }
          : { kept: true, applied: applied !== undefined, ...stored }
      )
    )
  return stored === undefined ? 1 : 0
}
