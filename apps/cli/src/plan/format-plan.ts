// The text of `likeness plan`.
import { formatTable } from '../format-table.ts'
import type { Candidate, Plan } from './make-plan.ts'

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
export function formatBytes(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(bytes) / 3)))
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
const hours = (value: number): string =>
  value < 1 ? `${Math.ceil(60 * value)} minutes` : `${value.toFixed(1)} hours`

function remarkOf(candidate: Candidate, { choice, ramBytes }: Plan): string {
  if (candidate === choice) return '<'
  if (!candidate.reachesRecall) return 'misses the recall'
  return candidate.fits ? '' : `too large for ${formatBytes(ramBytes)}`
}

const formatCandidates = (plan: Plan): string =>
  formatTable(
    ['method, storage', 'memory', 'cpu, ms', ''],
    plan.candidates.map((one) => [
      `${one.method} ${one.storage}${one.rescore ? ' rescore' : ''}`,
      formatBytes(one.memoryBytes),
      one.searchCpuMs.toFixed(2),
      remarkOf(one, plan)
    ])
  )

const machinesFor = ({ embedProcesses, cores }: Plan): string =>
  embedProcesses > cores
    ? `, on ${Math.ceil(embedProcesses / cores)} machines of ${cores} cores`
    : ''

export function formatPlan(plan: Plan): string {
  const { choice, milvus, rows, dim, recall, qps } = plan
  const lines = [
    `${plan.items} items, ${rows} rows of ${dim} values, recall@10 ${recall}${qps > 0 ? `, ${qps} searches a second` : ''}`,
    '',
    formatCandidates(plan),
    ''
  ]
  if (choice === undefined || plan.machineBytes === undefined)
    lines.push(
      `No method with that recall fits into one machine of ${formatBytes(plan.ramBytes)}. Each api process holds the whole`,
      'collection, so more machines do not help. Take a larger machine, or a database that spreads a collection over',
      `machines, as Milvus: about ${formatBytes(milvus!.memoryBytes)} by the same layout, ${milvus!.queryNodes} query nodes of this size (not measured).`
    )
  else
    lines.push(
      `collection     {"index_method": "${choice.method}", "storage": "${choice.storage}", "rescore": ${choice.rescore}}`,
      `memory         ${formatBytes(choice.memoryBytes)} in each api process; ${formatBytes(plan.machineBytes)} with all processes of one machine`,
      `replicas       ${plan.replicas} api ${plan.replicas === 1 ? 'process' : 'processes, each on a machine of its own'}`
    )
  lines.push(
    `workers        ${plan.embedProcesses} inference processes, one a core${machinesFor(plan)}; ${plan.indexWorkers} index-worker`,
    `disk           ${formatBytes(plan.storeBytes)} in the object store without pictures, ${formatBytes(plan.replicaDiskBytes)} beside each api process`
  )
  if (plan.byPicture) lines.push(`embedding      ${hours(plan.embedHours)} for all items`)
  return lines.join('\n')
}
