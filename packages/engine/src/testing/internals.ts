// Parts of the engine that the simulation, the model test and the damage harness combine
// themselves. Products import the engine from index.ts.
export { createCatalog } from '../catalog/catalog.ts'
export { matchesFilter } from '../columns/filter-match.ts'
export { baseFiles, decodeBase } from '../base/base.ts'
export {
  decodeDeadPictures,
  decodePackPictures,
  encodeDeadPictures
} from '../base/picture-names.ts'
export { createRawVectors } from '../history/raw-vectors.ts'
export { createFileCache } from '../files/file-cache.ts'
export { encodeVectors } from '../files/vector-file.ts'
export { UnnamedCollections } from '../garbage/unnamed-collections.ts'
export { UnwantedCollections } from '../garbage/unwanted-collections.ts'
export { itemHash } from '../item/item-hash.ts'
export { decodePayload } from '../item/item-payload.ts'
export { applyUpdate } from '../item/payload-updates.ts'
export { createItemListWriter } from '../log/item-list-writer.ts'
export { createLogAppender } from '../log/log-appender.ts'
export { createProjector } from '../log/projector.ts'
export { buildMerge } from '../merge/merge-build.ts'
export { type MergeShape, type MergeTier, mergeTiers } from '../merge/merge-plan.ts'
export { type BuildMerge } from '../merge/merge-task.ts'
export { createSnapshotReader } from '../rebuild/snapshot-reader.ts'
export { createFaissSegmentFiles } from '../segment/faiss-segment-files.ts'
export { fullVectors } from '../segment/full-vectors.ts'
export { hashOf } from '../segment/item-table.ts'
export { openSegment } from '../segment/open-segment.ts'
export { type MovedIndex, type SegmentFiles } from '../segment/segment-files.ts'
export { verifyCollection } from '../verify/verify.ts'
export { type Current, currentSchema, encodeCurrent, readCurrent } from '../version/current.ts'
export { createJobs } from '../jobs/jobs.ts'
export { decodePage, type IngestionRecord } from '../state/job-record.ts'
export { readPart, readStateLines, StateContent } from '../state/read-state.ts'
export { decodeStateLines } from '../state/state-lines.ts'
export { type StateShape } from '../state/write-state.ts'
export {
  encodeManifest,
  type FileRef,
  type Manifest,
  manifestFiles,
  manifestSchema,
  type ManifestSegment,
  readManifest,
  type SnapshotRecord
} from '../version/manifest.ts'
export { OrdinalRanges } from '../version/ordinal-ranges.ts'
export { createVersionReader, readCommitted } from '../version/read-manifest.ts'
export { type CollectionWriter } from '../writer/collection-writer.ts'
export { openOrRebuild } from '../writer/open-or-rebuild.ts'
export { openCollectionWriter, rebuildCollection } from '../writer/open-writer.ts'
export { type Protocol, realProtocol } from '../writer/protocol.ts'
export { type ReadAhead, readAhead } from '../writer/read-ahead.ts'
export { type FoldShape } from '../writer/fold-shape.ts'
export { type WriterDeps } from '../writer/writer-deps.ts'
