// A plan for a gallery: which index, how much memory and disk, how many processes, how long the
// first import takes.
import type { IndexMethod } from '@likeness/shared/contract/collection'
import { bytesAnItem, collectionBytes } from '@likeness/shared/contract/index-memory'
import {
  findStorageForm,
  isLossless,
  isQuantized,
  type VectorStorage
} from '@likeness/shared/contract/storage-forms'
import { productForm } from '../product-form.ts'
import {
  busyShare,
  httpMs,
  importShare,
  type MachineFigures,
  mergeRoom,
  processes,
  slowFlatMs,
  storages,
  stored,
  usedShare
} from './constants.ts'
import { searchCpuMs } from './search-cost.ts'

export interface PlanInput {
  items: number
  rowsPerItem: number
  dim: number
  /** Memory of one machine. */
  ramBytes: number
  recall: number
  /** Searches per second; 0: one replica is enough. */
  qps: number
  /** Cores of one machine. */
  cores: number
  /** Searches are pictures, which are embedded first. */
  byPicture: boolean
}

export interface Candidate {
  method: IndexMethod
  storage: VectorStorage
  rescore: boolean
  /** Memory of the collection in each api process. */
  memoryBytes: number
  searchCpuMs: number
  reachesRecall: boolean
  /** Whether the collection and all processes have room on one machine. */
  fits: boolean
}

export interface Plan extends PlanInput {
  rows: number
  candidates: Candidate[]
  /** undefined: no candidate fits on one machine and reaches the recall. */
  choice: Candidate | undefined
  /** All processes on one machine with one replica. */
  machineBytes: number | undefined
  replicas: number
  embedProcesses: number
  indexWorkers: number
  /** Object store without pictures. */
  storeBytes: number
  /** Local files of each replica. */
  replicaDiskBytes: number
  embedHours: number
  milvus: { memoryBytes: number; queryNodes: number } | undefined
}

const bytesOfFloat = 4
/** The least and the greatest memory of both merge processes that a plan counts. */
const [leastMergeBytes, mergePart] = [0.5e9, 0.25]

/** In the order in which they are preferred. */
const preferred = (dim: number): [IndexMethod, VectorStorage][] => [
  ['FLAT', 'f32'],
  ['HNSW32', 'f32'],
  ['HNSW32', 'f16'],
  ['HNSW32', 'sq8'],
  ['IVF', 'f16'],
  ['IVF', 'sq8'],
  ['IVF', productForm(dim)]
]

/** Memory of everything beside the collection in a replica, on one machine. */
export function otherBytes({ items, ramBytes, cores }: PlanInput, memoryBytes: number): number {
  const { api, indexWorker, embedWorker, inference, redis } = processes
  // A merge holds its inputs and the new index.
  const merge = Math.min(mergePart * ramBytes, Math.max(leastMergeBytes, 2 * memoryBytes))
  const embedding = embedWorker + cores * inference
  return api + indexWorker + redis + embedding + items * bytesAnItem + merge
}

function candidateOf(
  input: PlanInput,
  [method, storage]: readonly [IndexMethod, VectorStorage],
  figures: MachineFigures
): Candidate {
  const { items, dim, recall, ramBytes } = input
  const rows = items * input.rowsPerItem
  const { best, bestRescored } = storages[findStorageForm(storage)!.form]
  const rescore = !isLossless(storage) && best < recall
  const shape = { method, metric: 'cosine', storage, dim } as const
  const memoryBytes = collectionBytes(shape, { items, rows })
  return {
    method,
    storage,
    rescore,
    memoryBytes,
    searchCpuMs: searchCpuMs({ ...shape, rows, recall, rescore }, figures),
    reachesRecall: (rescore ? bestRescored : best) >= recall,
    fits: memoryBytes + otherBytes(input, memoryBytes) <= usedShare * ramBytes
  }
}

function storeBytesOf(
  { items, dim, byPicture }: PlanInput,
  rows: number,
  { method, storage, rescore }: Candidate
): number {
  const full = isQuantized(storage) || rescore ? bytesOfFloat * dim : 0
  const index = collectionBytes({ method, metric: 'cosine', storage, dim }, { items, rows })
  const segments = index + rows * full + items * (stored.item + stored.itemTable - bytesAnItem)
  const arrivals =
    rows * (bytesOfFloat * dim + (byPicture ? stored.rawRow : 0)) + items * stored.item
  return mergeRoom * segments + arrivals
}

export function makePlan(input: PlanInput, figures: MachineFigures): Plan {
  const { items, dim, qps, cores, ramBytes, byPicture } = input
  const rows = items * input.rowsPerItem
  const candidates = preferred(dim).map((one) => candidateOf(input, one, figures))
  const good = candidates.filter(({ reachesRecall }) => reachesRecall)
  const choice = good.find(
    ({ method, fits, searchCpuMs: ms }) => fits && (method !== 'FLAT' || ms <= slowFlatMs)
  )
  const shown = choice ?? good.reduce((a, b) => (b.memoryBytes < a.memoryBytes ? b : a))
  const searchMs = qps * (shown.searchCpuMs + httpMs)
  const embedMs = byPicture ? qps * figures.embedMs : 0
  const processesFor = (ms: number): number => Math.max(1, Math.ceil(ms / 1000 / busyShare))
  const embedProcesses = Math.max(cores, processesFor(embedMs))
  const onDisk =
    shown.memoryBytes + items * stored.item + (shown.rescore ? rows * bytesOfFloat * dim : 0)
  return {
    ...input,
    rows,
    candidates,
    choice,
    machineBytes: choice && choice.memoryBytes + otherBytes(input, choice.memoryBytes),
    replicas: Math.max(1, Math.ceil(searchMs / 1000 / (busyShare * cores))),
    embedProcesses,
    indexWorkers: 1,
    storeBytes: storeBytesOf(input, rows, shown),
    replicaDiskBytes: onDisk,
    embedHours: (items * figures.embedMs) / importShare / embedProcesses / 3.6e6,
    milvus:
      choice === undefined
        ? {
            memoryBytes: shown.memoryBytes,
            queryNodes: Math.ceil(shown.memoryBytes / (usedShare * ramBytes))
          }
        : undefined
  }
}
