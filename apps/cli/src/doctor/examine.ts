// Runs the checks. One that cannot look does not end the others: it is counted and named.
import { messageOf } from '@likeness/shared/errors'
import { ApiProblem } from '../api/api-problem.ts'
import { isNetworkFailure, keepTrying } from '../connect/keep-trying.ts'
import type {
  CollectionCheck,
  Facts,
  Finding,
  Stack,
  StackCheck,
  Subject,
  Unseen
} from './check.ts'
import { askNeighbours } from './facts/ask-neighbours.ts'
import { askPictures } from './facts/ask-pictures.ts'
import { recallOf } from './facts/measure-recall.ts'
import { sampleItems } from '../sampling/sample-items.ts'

export interface Examined {
  findings: Finding[]
  unseen: Unseen[]
}

type Asked = Pick<Stack['api'], 'exportVectors' | 'searchByItem' | 'search' | 'fetchBytes'>

const once = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask())
}

/** A busy or restarting api is no reason to see nothing. */
const patienceMs = 15_000

export function factsOf({ api: given, name }: { api: Stack['api']; name: string }): Facts {
  const api: Asked = {
    exportVectors: (of, options) =>
      keepTrying(() => given.exportVectors(of, options), { patienceMs }),
    search: (of, picture, options) =>
      keepTrying(() => given.search(of, picture, options), { patienceMs }),
    fetchBytes: (path) => keepTrying(() => given.fetchBytes(path), { patienceMs }),
    searchByItem: (of, id, options) =>
      keepTrying(() => given.searchByItem(of, id, options), { patienceMs })
  }
  const items = once(() => sampleItems(api, name))
  return {
    items,
    neighbourhoods: once(async () => askNeighbours(api, name, await items())),
    pictures: once(async () => askPictures(api, name, await items())),
    recallAt: recallOf({ api, name, items })
  }
}

export const examineStack = (checks: readonly StackCheck[], stack: Stack): Promise<Examined> =>
  examine(checks, null, (check) => check.examine(stack))

export const examineCollection = (
  checks: readonly CollectionCheck[],
  subject: Subject
): Promise<Examined> => examine(checks, subject.collection.name, (check) => check.examine(subject))

async function examine<C extends CollectionCheck | StackCheck>(
  checks: readonly C[],
  collection: string | null,
  look: (check: C) => ReturnType<C['examine']>
): Promise<Examined> {
  const examined: Examined = { findings: [], unseen: [] }
  for (const check of checks) {
    const { id, complaint } = check
    try {
      const found = await look(check)
      if (found !== undefined) examined.findings.push({ id, complaint, collection, ...found })
    } catch (error) {
      // Anything else is a fault of the check.
      if (!(error instanceof ApiProblem) && !isNetworkFailure(error)) throw error
      examined.unseen.push({ id, collection, reason: messageOf(error) })
    }
  }
  return examined
}
