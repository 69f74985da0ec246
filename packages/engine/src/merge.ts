// Compaction: small flat segments become one, and past the threshold one of the configured index type. Built beside the commits as a
// proposal with a row map; whoever adopts it carries over every deletion since and drops it when an input is gone.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { CollectionKeys } from '@likeness/shared/keys'
import type { Bitmap } from './bitmap.ts'
import { decodePayload, encodePayload } from './item-payload.ts'
import type { Manifest } from './manifest.ts'
import { overlaid } from './overlay.ts'
import type { Overlays } from './overlay.ts'
import { isOutgrown, readQuantizer, trainQuantizer } from './quantizer.ts'
import type { Quantizer } from './quantizer.ts'
import type { SegmentFiles } from './segment-files.ts'
import { isSmall, needsQuantizer, sameForm, sealedForm, sealRows, smallForm } from './segment-form.ts'
import type { SegmentForm } from './segment-form.ts'
import { hashOf, versionOf } from './segment-meta.ts'
import { byHash, writeSegment } from './segment-write.ts'
import type { SegmentItem, WrittenSegment } from './segment-write.ts'
import { fullVectors } from './vector-file.ts'
import { freshSegment } from './writer-state.ts'
import type { OpenSegment, WriterState } from './writer-state.ts'

/** Flat segments of one size class are compacted when there are this many; a class is this many times larger than the one below. */
export const mergeFanIn = 6
/** Of rows deleted, or of items relabelled. */
const rewriteShare = 0.2
const largestMergeRows = 5_000_000

export interface MergePlan {
  inputs: OpenSegment[]
  form: SegmentForm
  /** Live rows of the collection: what a quantizer that is trained now is for. */
  liveRows: number
  /** Train anew although there is a quantizer. */
  retrain: boolean
}
export interface MergeProposal {
  inputs: OpenSegment[]
  /** null when nothing was alive. */
  result: WrittenSegment | null
  /** Per item of the result: which input and which item there. */
  origin: { input: number; item: number }[]
  /** What of each input's overlays is in the result. */
  written: Overlays[]
  quantizer: Manifest['quantizer']
}

const liveRows = (segment: OpenSegment): number => segment.ref.rows - segment.deleted.count

/** The smallest size class with enough segments: a row is copied once per class, not once per merge. */
function crowdedClass(small: readonly OpenSegment[]): OpenSegment[] | undefined {
  const classes = new Map<number, OpenSegment[]>()
  for (const segment of small) {
    const size = Math.floor(Math.log(Math.max(1, liveRows(segment))) / Math.log(mergeFanIn))
    classes.set(size, [...(classes.get(size) ?? []), segment])
  }
  const crowded = [...classes].filter(([, segments]) => segments.length >= mergeFanIn).sort(([a], [b]) => a - b)
  return crowded[0]?.[1]
}

const isWorn = ({ ref, deleted, overlays }: OpenSegment): boolean => deleted.count >= rewriteShare * ref.rows || overlays.size >= rewriteShare * ref.items

/** As many segments as a merge may have, the smallest first. */
function asManyAsFit(segments: readonly OpenSegment[]): OpenSegment[] {
  let rows = 0
  return [...segments].sort((a, b) => liveRows(a) - liveRows(b)).filter((segment) => (rows += liveRows(segment)) <= largestMergeRows)
}

/** What to merge next, or undefined. `quantizer`: as committed. */
export function planMerge(state: WriterState, quantizer: Manifest['quantizer']): MergePlan | undefined {
  const { spec, segments } = state
  const threshold = sealRows(spec)
  const [small, sealed] = [smallForm(spec), sealedForm(spec)]
  const total = segments.reduce((sum, segment) => sum + liveRows(segment), 0)
  const plan = (inputs: OpenSegment[], form: SegmentForm, retrain = false): MergePlan => ({ inputs, form, liveRows: total, retrain })
  if (total >= threshold && isOutgrown(spec, quantizer, total)) return plan(asManyAsFit(segments), sealed, true)
  const unsealed = segments.filter(({ ref }) => isSmall(spec, ref))
  if (unsealed.reduce((sum, segment) => sum + liveRows(segment), 0) >= threshold) return plan(unsealed, sealed)
  const crowded = crowdedClass(unsealed)
  if (crowded !== undefined) return plan(crowded, small)
  const worn = segments.find((segment) => isWorn(segment) && segment.ref.rows <= largestMergeRows)
  if (worn !== undefined) return plan([worn], liveRows(worn) >= threshold ? sealed : small)
  // A small form past the threshold exists when a single commit brought that many rows.
  const large = sameForm(sealed, small) ? undefined : segments.find((segment) => sameForm(segment.ref, small) && liveRows(segment) >= threshold)
  return large === undefined ? undefined : plan([large], sealed)
}

interface LiveInput {
  item: SegmentItem
  hash: Buffer
  origin: { input: number; item: number }
}

/** An input as it was when the merge began. */
interface MergeInput {
  segment: OpenSegment
  deleted: Bitmap
  overlays: Overlays
}

async function readLive(files: SegmentFiles, { segment: { meta, ref }, deleted, overlays }: MergeInput, input: number, dim: number): Promise<LiveInput[]> {
  const [vectors, payload] = await Promise.all([fullVectors(files, ref, dim), files.get(ref.files.payload)])
  const live: LiveInput[] = []
  for (let item = 0; item < meta.items; item++) {
    const first = meta.firstRow[item]!
    if (deleted.has(first)) continue
    const hash = hashOf(meta, item)
    const stored = Buffer.from(payload.subarray(meta.payloadOffset[item]!, meta.payloadOffset[item + 1]!))
    const overlay = overlays.get(item)
    const body = overlay === undefined ? stored : encodePayload(overlaid(decodePayload(stored), overlay))
    live.push({ hash, origin: { input, item }, item: { hash, version: versionOf(meta, item), payload: body, vectors: vectors.subarray(first * dim, meta.firstRow[item + 1]! * dim) } })
  }
  return live
}

interface MergeDeps {
  files: SegmentFiles
  keys: CollectionKeys
  newId: () => string
}

/** The collection's one quantizer: as committed, or trained now. */
async function quantizerFor(deps: MergeDeps, spec: CollectionSpec, plan: MergePlan, committed: Manifest['quantizer'], live: LiveInput[]): Promise<Quantizer> {
  if (committed !== null && !plan.retrain) return await readQuantizer(deps.files, committed)
  const vectors = new Float32Array(live.reduce((sum, { item }) => sum + item.vectors.length, 0))
  let at = 0
  for (const { item } of live) {
    vectors.set(item.vectors, at)
    at += item.vectors.length
  }
  return await trainQuantizer(deps, spec, vectors, plan.liveRows)
}

/** Reads the inputs as they are now and writes the merged segment. Runs beside commits. */
export async function buildMerge(deps: MergeDeps, spec: CollectionSpec, plan: MergePlan, committed: Manifest['quantizer']): Promise<MergeProposal> {
  const { dim } = spec.embedding
  const inputs = plan.inputs.map((segment): MergeInput => ({ segment, deleted: segment.deleted.clone(), overlays: new Map(segment.overlays) }))
  const live = (await Promise.all(inputs.map((input, i) => readLive(deps.files, input, i, dim)))).flat().sort(byHash)
  const written = inputs.map(({ overlays }) => overlays)
  if (live.length === 0) return { inputs: plan.inputs, result: null, origin: [], written, quantizer: committed }
  const quantizer = needsQuantizer(plan.form) ? await quantizerFor(deps, spec, plan, committed, live) : undefined
  const result = await writeSegment({ ...deps, spec, id: deps.newId(), form: plan.form, quantizer, items: live.map(({ item }) => item) })
  return { inputs: plan.inputs, result, origin: live.map(({ origin }) => origin), written, quantizer: quantizer?.ref ?? committed }
}

/** Puts the merged segment in place of its inputs. False, and nothing changed, when an input is gone. */
export function adoptMerge(state: WriterState, { inputs, result, origin, written }: MergeProposal): boolean {
  if (!inputs.every((input) => state.segments.includes(input))) return false
  state.segments = state.segments.filter((segment) => !inputs.includes(segment))
  state.dirty = true
  if (result === null) return true
  const merged = freshSegment(result)
  origin.forEach(({ input, item }, i) => {
    const { meta: from, deleted: gone, overlays } = inputs[input]!
    const overlay = overlays.get(item)
    // Another one than was written: it came while the merge was built.
    if (overlay !== undefined && overlay !== written[input]!.get(item)) merged.overlays.set(i, overlay)
    if (!gone.has(from.firstRow[item]!)) return
    for (let row = result.meta.firstRow[i]!; row < result.meta.firstRow[i + 1]!; row++) merged.deleted.add(row)
  })
  // Oldest first: findLive looks at the newest first.
  state.segments.unshift(Object.assign(merged, { changed: merged.deleted.count > 0, relabelled: merged.overlays.size > 0 }))
  return true
}
