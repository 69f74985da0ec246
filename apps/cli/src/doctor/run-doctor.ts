// `likeness doctor`: looks for the causes of wrong answers, slow answers and too much memory in the
// stack that runs, and says what to type. It changes nothing.
import { connectOptions, connectUsage, parseCommand } from '../command-options.ts'
import type { Command } from '../command.ts'
import { connectToRunning, nothingRuns } from '../connect/connect-to-running.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { createProgress } from '../progress.ts'
import { UserError } from '../user-error.ts'
import type { ApiClient } from '../api/api-client.ts'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { examineCollection, type Examined, examineStack, factsOf } from './examine.ts'
import { formatDoctor } from './format-doctor.ts'
import { collectionChecks, stackChecks } from './registry.ts'

/** Exit code when something was found. */
export const somethingFound = 4
/** Without a name, the first so many by name are looked at: some searches go to each. */
const mostCollections = 20

const usage = `likeness doctor [COLLECTION] [options]      says why answers are wrong or slow, or memory is short, and what to type
  without COLLECTION: the first ${mostCollections} by name; only reads
  exit code ${somethingFound} when something is found, 1 when a check could not look, ${nothingRuns} when no stack runs
  --json         last line: {"findings":[{"id","complaint","collection","found","says","type"}],"unseen":[{"id","collection","reason"}]}
${connectUsage}`

async function collectionsOf(
  api: ApiClient,
  name: string | undefined
): Promise<{ collections: CollectionAnswer[]; left: number }> {
  if (name === undefined) {
    const { collections } = await api.listCollections()
    const some = collections.slice(0, mostCollections)
    return { collections: some, left: collections.length - some.length }
  }
  const one = await api.getCollection(name)
  if (one === undefined) throw new UserError(`there is no collection ${name}`)
  return { collections: [one], left: 0 }
}

/** Exit code 0: nothing is found. */
export const runDoctor: Command = async (args, context) => {
  const { values, positionals } = parseCommand(args, {
    options: { ...connectOptions, json: { type: 'boolean', default: false } },
    usage,
    positionals: true
  })
  const [name, ...more] = positionals
  if (more.length > 0) throw new UserError(`one collection at a time\n${usage}`)
  const api = await connectToRunning(context, values)
  if (api === undefined) return nothingRuns
  const status = await keepTrying(() => api.getStatus())
  const { collections, left } = await keepTrying(() => collectionsOf(api, name))
  const { findings, unseen }: Examined = await examineStack(stackChecks, { api, status })
  const progress = createProgress({ label: 'examining', unit: 'collections' }, context)
  for (const [i, collection] of collections.entries()) {
    if (collections.length > 1 && !values.json) progress.show(i, collections.length)
    const facts = factsOf({ api, name: collection.name })
    const examined = await examineCollection(collectionChecks, { api, status, collection, facts })
    findings.push(...examined.findings)
    unseen.push(...examined.unseen)
  }
  progress.done()
  if (left > 0) context.say(`${left} more collections were not looked at: name one`)
  if (values.json) context.print(JSON.stringify({ findings, unseen }))
  else {
    const looked = `${stackChecks.length + collectionChecks.length} checks, ${collections.length} collection${collections.length === 1 ? '' : 's'}`
    const text = formatDoctor({ findings, unseen })
    context.print(`${looked}: ${findings.length} found${text === '' ? '' : `\n${text}`}`)
  }
  if (findings.length > 0) return somethingFound
  return unseen.length > 0 ? 1 : 0
}
