// `likeness plan`: which index, machines and time a gallery of a given size needs. It asks no stack.
import { availableParallelism } from 'node:os'
import { parseCommand, parseCount, parseNumber } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { UserError } from '../user-error.ts'
import { machine } from './constants.ts'
import { formatPlan } from './format-plan.ts'
import { makePlan, type PlanInput } from './make-plan.ts'

const usage = `likeness plan --items N --dim D --ram G --recall R [options]      what a gallery of this size needs
  --items N           pictures or other items
  --rows-per-item R   vectors of an item (default 1)
  --dim D             values of a vector, 1 to 4096
  --ram G             memory of one machine in GB
  --recall R          recall@10 that searches should have, .5 to .9999
  --qps Q             searches a second
  --cores N           cores of one machine (default: those of this one)
  --vectors           vectors are made elsewhere: nothing is embedded
  --measure           measures this machine for some seconds, instead of taking the figures of the documentation
  --data DIR          with --measure: data folder (default $LIKENESS_HOME, else .likeness in the repository)
  --json              the last line is a JSON object
Exit code 1: it does not fit into one machine.`

const gigabyte = 1e9

function needed(value: number | undefined, option: string): number {
  if (value === undefined) throw new UserError(`${option} is missing\n${usage}`)
  return value
}

/** UserError for wrong arguments. */
export function parsePlan(args: readonly string[]) {
  const { values } = parseCommand(args, {
    options: {
      items: { type: 'string' },
      'rows-per-item': { type: 'string' },
      dim: { type: 'string' },
      ram: { type: 'string' },
      recall: { type: 'string' },
      qps: { type: 'string' },
      cores: { type: 'string' },
      data: { type: 'string' },
      vectors: { type: 'boolean', default: false },
      measure: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false }
    },
    usage
  })
  const input: PlanInput = {
    items: needed(parseCount('--items', values.items, [1, 1e12]), '--items'),
    rowsPerItem: parseNumber('--rows-per-item', values['rows-per-item'], [1, 1_000]) ?? 1,
    dim: needed(parseCount('--dim', values.dim, [1, 4_096]), '--dim'),
    ramBytes: gigabyte * needed(parseNumber('--ram', values.ram, [0.5, 1e6]), '--ram'),
    recall: needed(parseNumber('--recall', values.recall, [0.5, 0.9999]), '--recall'),
    qps: parseNumber('--qps', values.qps, [0, 1e9]) ?? 0,
    cores: parseCount('--cores', values.cores, [1, 1_024]) ?? availableParallelism(),
    byPicture: !values.vectors
  }
  return { input, measure: values.measure, json: values.json, data: values.data }
}

/** Exit code 0; 1 when no method fits into one machine. */
export async function runPlan(args: readonly string[], context: CommandContext): Promise<number> {
  const { input, measure, json, data } = parsePlan(args)
  let figures = machine
  if (measure) {
    await context.prepare()
    context.say('measuring this machine')
    figures = await (await import('./measure-machine.ts')).measureMachine(data)
  }
  const plan = makePlan(input, figures)
  context.print(
    json ? JSON.stringify({ ...plan, choice: plan.choice ?? null, figures }) : formatPlan(plan)
  )
  if (measure && !json)
    context.print(
      `measured       ${figures.embedMs.toFixed(1)} ms a picture, ${figures.graphMs.toFixed(3)} ms a search of 20000 x 512, ${figures.scanNs.toFixed(3)} ns a value`
    )
  return plan.choice === undefined ? 1 : 0
}
