// What a plan knows of machines and programs, each with the command that measured it. The bytes of
// indexes are no constants: contract/index-memory.ts computes them. `likeness plan --measure` puts
// figures of the own machine in place of `machine`.
import type { StorageFormName } from '@likeness/shared/contract/storage-forms'

export interface MachineFigures {
  /** Processor milliseconds of one HNSW32 search: 20 000 x 512, f32, recall .95, one thread. */
  graphMs: number
  /** Processor nanoseconds for each value of a row that is compared, f32. */
  scanNs: number
  /** Milliseconds that an inference process takes for a picture. */
  embedMs: number
}

/** Two cores of an AMD EPYC (Zen 4). */
export const machine: MachineFigures = {
  // npm run bench -- kernels
  graphMs: 0.124,
  // npm run bench -- choose: FLAT over f32, cosine
  scanNs: 0.25,
  // npm run bench -- ingest: 57.3 pictures a second of two processes
  embedMs: 34.9
}

interface StorageFigures {
  /** Best recall@10 without and with rescore, as far as the form decides it. */
  best: number
  bestRescored: number
  /** Time to compare a row in a scan, as a part of that of f32. */
  time: number
}

/** `npm run bench -- choose`, on vectors that are hard for codes: a real gallery loses less. */
export const storages: Record<StorageFormName, StorageFigures> = {
  f32: { best: 1, bestRescored: 1, time: 1 },
  f16: { best: 0.998, bestRescored: 1, time: 1.25 },
  sq8: { best: 0.93, bestRescored: 0.999, time: 1.1 },
  pq: { best: 0.2, bestRescored: 0.6, time: 0.4 }
}

/** Memory in bytes of a process at rest, measured on a running stack (RSS). */
export const processes = {
  api: 150e6,
  indexWorker: 150e6,
  embedWorker: 110e6,
  /** Each inference process, with the built-in model. */
  inference: 250e6,
  redis: 20e6
}

/** Bytes in the object store, measured on a gallery of 1534 pictures with one row each. */
export const stored = {
  /** Payload: id, label, boxes, metadata. */
  item: 480,
  itemTable: 48,
  /** Raw vectors and the rest of a row in a batch or a pack, for the built-in model. */
  rawRow: 7_470
}

/** Processor milliseconds of the api for a search beside the index (`npm run bench -- latency`). */
export const httpMs = 0.75
/** Milliseconds of a search that reads full vectors for `rescore` (`npm run bench -- choose`). */
export const rescoreMs = 0.1
/** Part of a core that searches may use, so that they do not wait for each other. */
export const busyShare = 0.6
/** Part of a machine's memory that is planned with. */
export const usedShare = 0.85
/** Import through the whole stack, as a part of the inference alone (`npm run bench -- ingest`). */
export const importShare = 0.88
/** Files of replaced segments stay for SNAPSHOT_RETENTION_MS: a merge doubles its part. */
export const mergeRoom = 2
/** A search that takes longer than this is no choice where another method is faster. */
export const slowFlatMs = 10
