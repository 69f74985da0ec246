// `likeness status` and `likeness jobs`: show the running stack, the collections and the jobs.
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import { connectOptions, connectUsage, parseCommand, parseCount } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { connectToRunning, nothingRuns } from '../connect/connect-to-running.ts'
import { printable } from '../search/format-answer.ts'
import { UserError } from '../user-error.ts'

const statusUsage = `likeness status [options]      what runs and what it holds\n  --json\n${connectUsage}`
const jobsUsage = `likeness jobs [ID] [options]      the newest jobs, or one with its failed items
  --cancel       ends the job ID: what was applied stays, nothing else of it comes
  --collection NAME
  --limit N      how many (default 20)
  --json
${connectUsage}`

const describeCollection = ({
  name,
  items,
  rows,
  index_method,
  metric,
  seq,
  open_jobs,
  segments,
  threshold: { dropped }
}: CollectionAnswer): string => {
  const built = segments
    .map(
      ({ index, rows: count, deleted }) =>
        `${index} ${count}${deleted > 0 ? ` (${deleted} deleted)` : ''}`
    )
    .join(', ')
  return `  ${name}: ${items} items, ${rows} rows, ${index_method} ${metric}, seq ${seq}${open_jobs > 0 ? `, ${open_jobs} jobs running` : ''}${built === '' ? '' : `; segments: ${built}`}${dropped === null ? '' : `; CALIBRATED THRESHOLD DROPPED: ${dropped}`}`
}

/** Exit code 0; 3 when no stack runs. */
export async function runStatus(args: readonly string[], context: CommandContext): Promise<number> {
  const { values } = parseCommand(args, {
    options: { ...connectOptions, json: { type: 'boolean', default: false } },
    usage: statusUsage
  })
  const api = await connectToRunning(context, values)
  if (api === undefined) return nothingRuns
  const [status, { collections, damaged }] = [await api.getStatus(), await api.listCollections()]
  if (values.json) {
    context.print(JSON.stringify({ api: api.url, ...status, collections, damaged }))
    return 0
  }
  context.print(`Likeness at ${api.url}, objects in a ${status.store} store`)
  for (const { worker, embedding, provider } of status.lanes)
    context.print(
      `  embed-worker ${worker}: ${embedding.version}, ${embedding.dim} dimensions, runs on ${provider}`
    )
  if (status.lanes.length === 0) context.print('  no embed-worker: nothing can be embedded')
  if (status.index_workers.length === 0) context.print('  no index-worker: what is accepted waits')
  for (const { process, code, detail, since } of status.troubles)
    context.print(`  TROUBLE since ${since}: ${process}: ${code}: ${printable(detail)}`)
  for (const collection of collections) context.print(describeCollection(collection))
  for (const { name, detail } of damaged)
    context.print(`  DAMAGED ${name}: ${detail}; \`likeness rebuild ${name}\` makes it again`)
  if (collections.length + damaged.length === 0) context.print('  no collections')
  for (const { incarnation, alarm } of status.replica)
    if (alarm !== null) context.print(`  ALARM ${incarnation}: ${alarm}`)
  return 0
}

const describeJob = ({ id, collection, state, counts, source, created_at }: JobAnswer): string =>
  `${id}  ${created_at}  ${state.padEnd(9)}  ${collection}: ${counts.indexed} of ${counts.total} indexed${counts.failed > 0 ? `, ${counts.failed} failed` : ''}${(counts.cancelled ?? 0) > 0 ? `, ${counts.cancelled} left out` : ''}${counts.pending > 0 ? `, ${counts.pending} to do` : ''}  (${printable(source)})`

/** Exit code 0; 3 when no stack runs. */
export async function runJobs(args: readonly string[], context: CommandContext): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      collection: { type: 'string' },
      limit: { type: 'string', default: '20' },
      cancel: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false }
    },
    usage: jobsUsage,
    positionals: true
  })
  if (positionals.length > 1) throw new UserError(`one ID at a time\n${jobsUsage}`)
  const limit = parseCount('--limit', values.limit, [1, 1000])
  const api = await connectToRunning(context, values)
  if (api === undefined) return nothingRuns
  const [id] = positionals
  if (values.cancel) {
    if (id === undefined) throw new UserError(`--cancel needs an ID\n${jobsUsage}`)
    await api.cancelJob(id)
  }
  const jobs =
    id === undefined
      ? await api.listJobs({ collection: values.collection, limit })
      : [await api.getJob(id)]
  if (values.json) {
    context.print(JSON.stringify(id === undefined ? { jobs } : jobs[0]))
    return 0
  }
  if (jobs.length === 0) context.print('no jobs')
  for (const job of jobs) {
    context.print(describeJob(job))
    if (job.waiting !== null)
      context.print(`  waits: ${job.waiting.code}: ${printable(job.waiting.detail)}`)
  }
  if (id !== undefined)
    await printFailed(jobs[0]!, (failedAfter) => api.getJob(id, { failedAfter }), context)
  return 0
}

async function printFailed(
  job: JobAnswer,
  next: (failedAfter: number) => Promise<JobAnswer>,
  { print }: CommandContext
): Promise<void> {
  for (let page = job.failed; page.length > 0; page = (await next(page.at(-1)!.ordinal)).failed) {
    for (const { ordinal, line, id, code, message } of page)
      print(
        `  ${line === null ? `item ${ordinal}` : `line ${line}`}: ${printable(id)}: ${code}: ${printable(message)}`
      )
  }
}
