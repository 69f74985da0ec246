// The options of the actions of `likeness profile`.
import { connectOptions, connectUsage, type parseCommand } from '../command-options.ts'

export const profileUsage = `likeness profile learn --collection C [options]   learns a projection from the pictures of a collection
likeness profile learn DIR --name N [options]    the same from a folder of pictures (sub-folders are labels)
  --name N        what it is called (default: the collection's name)
  --labels        whiten what varies within labels, nothing else (default: what finds most, tried on pictures kept apart)
  --views         whiten what varies between views of one picture, nothing else
  --model NAME    the stack's model by its name or folder, where this machine does not know it
  --apply         with --collection: gives it to the collection at once, where it is kept
  --after N       with --collection: waits until the collection has N items
  --watch         goes on: learns and applies when there are N (--after; else 2000) items, and again whenever they have doubled
likeness profile apply NAME[@VERSION] --collection C   gives a collection that exists another profile of its model
  --no-wait       returns once it is asked for
likeness profile list                            shows those there are
likeness profile show NAME[@VERSION]             what is known of one
  --json          the last line is a JSON object
${connectUsage}
A profile is kept only if it finds clearly more than the projection that the collection has (of a folder: the model's own) among things that
it was not learned from; else nothing changes, and the exit code is 1. \`profile: N\` in a gallery's yaml, or at creation, makes a collection with it.`

export const options = {
  ...connectOptions,
  collection: { type: 'string' },
  name: { type: 'string' },
  model: { type: 'string' },
  apply: { type: 'boolean', default: false },
  after: { type: 'string' },
  watch: { type: 'boolean', default: false },
  'no-wait': { type: 'boolean', default: false },
  labels: { type: 'boolean', default: false },
  views: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false }
} as const

export type ProfileValues = ReturnType<typeof parseCommand<typeof options>>['values']
