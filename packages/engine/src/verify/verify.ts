// Verifies that a collection in the store matches its manifest: every file exists, is unaltered,
// and agrees with the others. Read-only.
import { type CollectionKeys, collectionKeys } from '@likeness/shared/contract/keys'
import { decodePendingUpdates } from '../item/payload-updates.ts'
import { hashBytes, hashOf } from '../segment/item-table.ts'
import { liveItems } from '../segment/open-segment.ts'
import { quantizerBytes } from '../segment/quantizer.ts'
import { needsQuantizer } from '../vector-index/segment-config.ts'
import { type Current, readCurrent } from '../version/current.ts'
import { decodeFilterDeletes } from '../version/filter-delete-file.ts'
import { type Manifest, manifestFiles, manifestRefs, readManifest } from '../version/manifest.ts'
import { decodeCalibration } from '../version/read-calibration.ts'
import { decodeTombstones } from '../version/tombstones.ts'
import { type Problem, VerifyFiles, type VerifyFilesDeps } from './verify-files.ts'
import { verifyHistory } from './verify-history.ts'
import { verifyIngestionObjects, verifyLog, verifyState } from './verify-log.ts'
import { type VerifiedSegment, verifySegment } from './verify-segment.ts'

export interface VerifyReport {
  /** null: there is no readable version. */
  seq: number | null
  files: number
  bytes: number
  problems: Problem[]
}
export interface VerifyInput extends VerifyFilesDeps {
  collectionId: string
}

/**
 * Most rounds. A collection in use moves on and its old files are collected. Then the newer version
 * is verified instead.
 */
const mostRounds = 5

/**
 * Finds all problems. Rejects only when the store cannot be asked. `scratchDir`: folder for one
 * file at a time.
 */
export async function verifyCollection(input: VerifyInput): Promise<VerifyReport> {
  const keys = collectionKeys(input.collectionId)
  for (let round = 1; ; round++) {
    const inspection = new VerifyFiles(input)
    const current = await findCurrent(inspection, keys)
    if (current !== undefined) await verifyVersion(inspection, keys, current)
    const { files, bytes, problems } = inspection
    const report = { seq: current?.seq ?? null, files, bytes, problems }
    if (round === mostRounds || !problems.some(({ code }) => code === 'missing')) return report
    const now = await findCurrent(new VerifyFiles(input), keys)
    if (now === undefined || now.manifest === current?.manifest) return report
  }
}

async function findCurrent(
  inspection: VerifyFiles,
  keys: CollectionKeys
): Promise<Current | undefined> {
  return await inspection.content(keys.current, async () => {
    const found = await readCurrent(inspection.store, keys.current)
    if (found === undefined) inspection.problem('missing', keys.current, 'not in the store')
    return found?.current
  })
}

async function verifyVersion(
  inspection: VerifyFiles,
  keys: CollectionKeys,
  current: Current
): Promise<void> {
  const { manifest: key, sha256, seq, epoch, commitId } = current
  const manifest = await inspection.content(key, async () => {
    const found = await readManifest(inspection.store, key, sha256)
    if (found === undefined)
      inspection.problem('missing', key, 'CURRENT names it, and it is not in the store')
    return found
  })
  await verifyLog(inspection, keys, manifest ?? { appliedSlot: 0, history: null })
  await verifyIngestionObjects(inspection, keys)
  if (manifest === undefined) return
  inspection.expect(
    manifest.seq === seq && manifest.commitId === commitId && manifest.epoch <= epoch,
    'content',
    keys.current,
    `names version ${seq}, its manifest is version ${manifest.seq}`
  )
  const segments: VerifiedSegment[] = []
  for (const ref of manifest.segments) {
    const verified = await verifySegment(inspection, ref, manifest)
    if (verified !== undefined) segments.push(verified)
  }
  await verifySide(inspection, manifest)
  await verifySnapshots(inspection, manifest)
  await verifyState(inspection, keys, manifest)
  await verifyHistory(inspection, manifest)
  // Unreadable segments are already reported. Counts without them would only repeat that.
  if (segments.length < manifest.segments.length) return
  checkCounts(inspection, key, manifest, segments)
  for (const hash of liveTwice(segments))
    inspection.problem(
      'duplicate',
      key,
      `an item with the hash ${hash} is live in more than one segment`
    )
}

async function verifySide(
  inspection: VerifyFiles,
  { former, quantizer, calibration, spec, segments }: Manifest
): Promise<void> {
  const { tombstones = null, relabels = null, sweeps = null } = former ?? {}
  if (tombstones !== null) await inspection.read(tombstones, decodeTombstones)
  if (relabels !== null) await inspection.read(relabels, decodePendingUpdates)
  if (sweeps !== null) await inspection.read(sweeps, decodeFilterDeletes)
  if (calibration !== undefined)
    await inspection.read(calibration, (body) => decodeCalibration(calibration.key, body))
  if (quantizer === null) {
    for (const ref of segments)
      inspection.expect(
        !needsQuantizer(ref),
        'content',
        ref.files.index.key,
        `an index of ${ref.index} ${ref.storage} in a version without a quantizer`
      )
    return
  }
  const { key, nlist } = quantizer
  await inspection.read(quantizer, (body) => {
    inspection.expect(
      body.length === quantizerBytes(spec, nlist),
      'size',
      key,
      `${body.length} bytes for ${nlist} centroids of ${spec.embedding.dim} values and the codebook of ${spec.storage}`
    )
    inspection.expect(
      spec.metric === 'hamming' ||
        new Float32Array(body.buffer, 0, body.length >> 2).every(Number.isFinite),
      'content',
      key,
      'a centroid or the codebook has a value that is not a number'
    )
  })
}

/**
 * Verifies the files that a restore needs: every file of every version that a snapshot keeps,
 * whole.
 */
async function verifySnapshots(inspection: VerifyFiles, manifest: Manifest): Promise<void> {
  const seen = new Set(manifestFiles(manifest))
  for (const { manifest: key, sha256 } of Object.values(manifest.snapshots)) {
    const kept = await inspection.content(key, () => readManifest(inspection.store, key, sha256))
    if (kept === undefined) {
      inspection.problem('missing', key, 'a snapshot names it, and it cannot be read')
      continue
    }
    for (const ref of manifestRefs(kept)) {
      if (seen.has(ref.key)) continue
      seen.add(ref.key)
      await inspection.open(ref, () => undefined)
    }
  }
}

function checkCounts(
  inspection: VerifyFiles,
  key: string,
  { counts }: Manifest,
  segments: readonly VerifiedSegment[]
): void {
  const items = segments.reduce((sum, segment) => sum + liveItems(segment), 0)
  const rows = segments.reduce((sum, { ref, deleted }) => sum + ref.rows - deleted.count, 0)
  inspection.expect(
    counts.items === items && counts.rows === rows,
    'count',
    key,
    `counts ${counts.items} items and ${counts.rows} rows, its segments hold ${items} and ${rows}`
  )
}

function* halvesOfLive({
  meta,
  deleted
}: VerifiedSegment): Iterable<{ half: bigint; item: number }> {
  for (let item = 0; item < meta.items; item++) {
    if (!deleted.has(meta.firstRow[item]!))
      yield { half: meta.hashes.readBigUInt64BE(item * hashBytes), item }
  }
}

/**
 * Finds items that are live twice. The first halves of their hashes are sorted as numbers; those
 * that occur twice are then compared whole.
 */
function liveTwice(segments: readonly VerifiedSegment[]): string[] {
  const halves = new BigUint64Array(segments.reduce((sum, segment) => sum + liveItems(segment), 0))
  let at = 0
  for (const segment of segments) for (const { half } of halvesOfLive(segment)) halves[at++] = half
  halves.sort()
  const suspects = new Set<bigint>()
  for (let i = 1; i < halves.length; i++) if (halves[i] === halves[i - 1]) suspects.add(halves[i]!)
  const seen = new Set<string>()
  const twice: string[] = []
  for (const segment of suspects.size === 0 ? [] : segments) {
    for (const { half, item } of halvesOfLive(segment)) {
      if (!suspects.has(half)) continue
      const hash = hashOf(segment.meta, item).toString('hex')
      if (seen.has(hash)) twice.push(hash)
      seen.add(hash)
    }
  }
  return twice
}
