// The options of `likeness tune`.
import {
  connectOptions,
  connectUsage,
  oneCollection,
  parseCommand,
  parseCount,
  parseNumber
} from '../command-options.ts'
import { UserError } from '../user-error.ts'

const usage = `likeness tune COLLECTION --recall R [options]      measures recall and time over the search budget
  --recall R     recall@10 that searches should have, .5 to .9999
  --p95 MS       and the time within which 95 of 100 searches should answer
  --apply        makes the least budget that reaches both the collection's search_budget
  --methods      compares all methods and storage forms too, on at most 20000 of its vectors
  --queries N    its own items that are searched for (default 200)
  --svg FILE     writes a picture of it
  --json         the last line is a JSON object
${connectUsage}
Exit code 1: no budget reaches it, and nothing was applied.`

export interface TuneOptions {
  collection: string
  recall: number
  p95Ms: number | undefined
  apply: boolean
  methods: boolean
  queries: number
  svg: string | undefined
  json: boolean
  connect: { api?: string; data?: string }
}

/** UserError for wrong arguments. */
export function parseTune(args: readonly string[]): TuneOptions {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      recall: { type: 'string' },
      p95: { type: 'string' },
      apply: { type: 'boolean', default: false },
      methods: { type: 'boolean', default: false },
      queries: { type: 'string' },
      svg: { type: 'string' },
      json: { type: 'boolean', default: false }
    },
    usage,
    positionals: true
  })
  const collection = oneCollection(positionals, usage)
  const recall = parseNumber('--recall', values.recall, [0.5, 0.9999])
  if (recall === undefined) throw new UserError(`--recall is missing\n${usage}`)
  return {
    collection,
    recall,
    p95Ms: parseNumber('--p95', values.p95, [0.01, 1e6]),
    apply: values.apply,
    methods: values.methods,
    queries: parseCount('--queries', values.queries, [20, 2_000]) ?? 200,
    svg: values.svg,
    json: values.json,
    connect: { api: values.api, data: values.data }
  }
}
