// `likeness profile apply`: asks for another profile of a collection, and waits until the
// collection has the profile or reports the reason for a refusal.
import { setTimeout as pause } from 'node:timers/promises'
import { modelOf } from '@likeness/shared/contract/profile'
import { messageOf } from '@likeness/shared/errors'
import type { ApiClient } from '../api/api-client.ts'
import type { ProfileChange } from '../api/collection-calls.ts'
import type { CommandContext } from '../command.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { UserError } from '../user-error.ts'

const pollMs = 500

const whyNot = {
  raw_vectors_missing:
    'items of it were given with their vectors, and nothing else can be made of them: build a new collection from their pictures',
  data_corrupt:
    'its log or vector batches, or the profile, are damaged: the log of the index-worker names what'
}

/**
 * Returns the seq of the version with the profile; undefined: not yet. UserError when the profile
 * will not come.
 */
async function look(
  api: ApiClient,
  collection: string,
  { revision }: ProfileChange
): Promise<number | undefined> {
  const now = await api.getCollection(collection)
  if (now === undefined) throw new UserError(`the collection ${collection} was dropped meanwhile`)
  const { reprojection, seq } = now
  if (
    reprojection === null ||
    reprojection.revision < revision ||
    (reprojection.revision === revision && reprojection.state === 'running')
  )
    return undefined
  if (reprojection.revision > revision)
    throw new UserError(`another profile was asked for since: ${reprojection.embedding.version}`)
  if (reprojection.state === 'applied') return seq
  throw new UserError(
    `${collection} keeps what it has: ${whyNot[reprojection.state as keyof typeof whyNot]}`
  )
}

export async function applyToCollection(
  api: ApiClient,
  { collection, profile, wait }: { collection: string; profile: string; wait: boolean },
  context: CommandContext
): Promise<ProfileChange> {
  const asked = await api.applyProfile(collection, profile)
  if (asked.seq !== undefined || !wait) return asked
  context.say(
    `${collection}: vectors of ${asked.profile} are being made of the raw vectors of ${modelOf(asked.embedding.version)}; searches go on with what there is`
  )
  for (;;) {
    const seq = await keepTrying(() => look(api, collection, asked), {
      onTrouble: (error) => context.say(`no answer: ${messageOf(error)}; asking again`)
    })
    if (seq !== undefined) return { ...asked, seq }
    await pause(pollMs)
  }
}
