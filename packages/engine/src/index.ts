// The engine: collections kept in an object store, without HTTP and without a queue.
export * from './contract.ts'
export type { Catalog } from './catalog-contract.ts'
export { createCatalog } from './catalog/catalog.ts'
export { CollectionWriter } from './writer/collection-writer.ts'
export { createVersionReader } from './version/read-manifest.ts'
export { createFaissSegmentFiles } from './segment/faiss-segment-files.ts'
export { UnnamedCollections } from './garbage/unnamed-collections.ts'
export { UnwantedCollections } from './garbage/unwanted-collections.ts'
export { createFileCache } from './files/file-cache.ts'
export { createItemListWriter } from './log/item-list-writer.ts'
export { createJobs } from './jobs/jobs.ts'
export { createLogAppender } from './log/log-appender.ts'
export {
  buildCalibration,
  type BuildCalibration,
  type CalibrationTask
} from './calibration/build-calibration.ts'
export { buildFold, type BuildFold, type FoldResult, type FoldTask } from './history/fold.ts'
export { buildMerge } from './merge/merge-build.ts'
export { mergeTiers } from './merge/merge-plan.ts'
export type { MergeTier } from './merge/merge-plan.ts'
export type { BuildMerge, MergeResult, MergeTask } from './merge/merge-task.ts'
export { openOrRebuild } from './writer/open-or-rebuild.ts'
export { openCollectionWriter, rebuildCollection } from './writer/open-writer.ts'
export { type ReadAhead, readAhead } from './writer/read-ahead.ts'
export { createProjector } from './log/projector.ts'
export { createReplica } from './replica/replica.ts'
export { createSnapshotReader } from './rebuild/snapshot-reader.ts'
export { verifyCollection } from './verify/verify.ts'
export type { VerifyReport } from './verify/verify.ts'
export type { WriterDeps } from './writer/writer-deps.ts'
export { createRawVectors, type RawVectors } from './history/raw-vectors.ts'
export { bitsBytes, packBits } from './vector-index/bits.ts'
export { mayRescore, openTrial, type Trial, type TrialSpec } from './trial/open-trial.ts'
export {
  exactNeighbours,
  measureTrial,
  type Neighbours,
  type TrialFigures
} from './trial/measure-trial.ts'
