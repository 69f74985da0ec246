// Estimates of the processor time of a search, from the figures of a machine. On a quiet machine they
// come out within a factor of two of docs/benchmarks.md (20 000 and 100 000 rows of a graph, a
// million of IVF).
import { type IndexShape, listsFor } from '@likeness/shared/contract/index-memory'
import { findStorageForm } from '@likeness/shared/contract/storage-forms'
import { type MachineFigures, rescoreMs, storages } from './constants.ts'

export interface SearchShape extends IndexShape {
  rows: number
  recall: number
  rescore: boolean
}

const graphRows = 20_000
const graphDim = 512
const graphMiss = 0.05
/** Time over rows of a graph: 20 000 to 100 000 rows took 1.9 times as long. */
const graphGrowth = 0.4
/** Part of the lists with .055 of the hits missed, and how it grows for fewer (`scale`, 1 M rows). */
const [listShare, listMiss, listGrowth] = [0.016, 0.055, 0.75]

/** Part of the rows that IVF compares for a recall. */
export const listsSearched = (recall: number): number =>
  Math.min(1, listShare * (listMiss / (1 - recall)) ** listGrowth)

export function searchCpuMs(shape: SearchShape, figures: MachineFigures): number {
  const { method, metric, storage, rows, dim, recall, rescore } = shape
  const { time } = storages[findStorageForm(storage)!.form]
  const more = rescore ? rescoreMs : 0
  // Bits are compared 32 times as fast as f32 values: as many bytes a second.
  const rowNs = metric === 'hamming' ? (dim * figures.scanNs) / 32 : dim * figures.scanNs * time
  const flatMs = (rows * rowNs) / 1e6
  if (method === 'FLAT') return flatMs + more
  if (method === 'IVF')
    return listsSearched(recall) * flatMs + (listsFor(rows) * dim * figures.scanNs) / 1e6 + more
  const size = (Math.max(rows, 1) / graphRows) ** graphGrowth * (dim / graphDim)
  return figures.graphMs * (graphMiss / (1 - recall)) * size + more
}
