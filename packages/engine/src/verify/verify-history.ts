// Verifies the base of a version and the one before: their packs, block by block, and that these
// hold every arrival that is live or in a snapshot.
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { ArrivalSet } from '../history/arrival-set.ts'
import { type Base, packFiles, type PackRef, parseBase, type View, viewsOf } from '../base/base.ts'
import { decodeCarried } from '../base/carried-lines.ts'
import { decodeLabels } from '../history/labels.ts'
import { OperationIndex } from '../base/operation-index.ts'
import { decodeDirectory, type PackDirectory } from '../base/pack.ts'
import { decodeDeadPictures, decodePackPictures } from '../base/picture-names.ts'
import type { BaseRef } from '../state/history.ts'
import { decodeStateLines } from '../state/state-lines.ts'
import type { Manifest } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

export async function verifyHistory(
  inspection: VerifyFiles,
  { history }: Pick<Manifest, 'history'>
): Promise<void> {
  const newest = await verifyBase(inspection, history?.base ?? null, new Set())
  if (newest === undefined) return
  const seen = new Set(newest.packs.flatMap(packFiles).map(({ key }) => key))
  await verifyBase(inspection, newest.previous, seen)
}

/** `seen`: keys of packs that were verified. */
async function verifyBase(
  inspection: VerifyFiles,
  ref: BaseRef | null,
  seen: ReadonlySet<string>
): Promise<Base | undefined> {
  if (ref === null) return undefined
  const base = await inspection.read(ref, (body) => parseBase(ref.key, body))
  if (base === undefined) return undefined
  for (const part of [...base.state.base, ...base.state.deltas])
    await inspection.read(part, (body) => decodeStateLines(part.key, body))
  for (const { file } of base.log?.operations ?? [])
    await inspection.read(file, (body) => new OperationIndex(file.key, body))
  for (const { file } of base.log?.lines ?? [])
    await inspection.read(file, (body) => decodeCarried(file.key, body))
  await verifyPictures(inspection, base)
  const views = viewsOf(base)
  const sets: ArrivalSet[] = []
  for (const view of views) {
    const live = await verifyView(inspection, view)
    if (live !== undefined) sets.push(live)
  }
  inspection.expect(
    sets[0] === undefined || sets[0].size === base.counts.items,
    'count',
    ref.key,
    `counts ${base.counts.items} items, and has ${sets[0]?.size} live arrivals`
  )
  const packed = new ArrivalSet()
  for (const pack of base.packs) {
    const arrivals = await verifyPack(inspection, pack, seen.has(pack.items.key))
    for (const arrival of arrivals ?? []) packed.add(arrival)
    if (arrivals === undefined) return base
  }
  for (const [i, live] of sets.entries()) checkPacked(inspection, views[i]!, live, packed)
  return base
}

/** Lists of dead pictures are deleted after these. */
async function verifyPictures(
  inspection: VerifyFiles,
  { packs, deadPictures }: Base
): Promise<void> {
  for (const { pictures } of packs)
    if (pictures) await inspection.read(pictures, (body) => decodePackPictures(pictures.key, body))
  for (const list of deadPictures)
    await inspection.readIfThere(list, (body) => decodeDeadPictures(list.key, body))
}

async function verifyView(
  inspection: VerifyFiles,
  { live, labels }: View
): Promise<ArrivalSet | undefined> {
  if (labels !== null) await inspection.read(labels, (body) => decodeLabels(labels.key, body))
  return await inspection.read(live, (body) => ArrivalSet.decode(body))
}

function checkPacked(
  inspection: VerifyFiles,
  { live: { key } }: View,
  live: ArrivalSet,
  packed: ArrivalSet
): void {
  let lacking = 0
  for (const arrival of live.between(0, Number.MAX_SAFE_INTEGER))
    if (!packed.has(arrival)) lacking++
  inspection.expect(lacking === 0, 'content', key, `${lacking} of its arrivals are in no pack`)
}

/** Returns the arrivals of a pack, undefined for one that cannot be read. */
async function verifyPack(
  inspection: VerifyFiles,
  pack: PackRef,
  isVerified: boolean
): Promise<number[] | undefined> {
  const { key } = pack.directory
  const directory = await inspection.read(pack.directory, (body) => decodeDirectory(key, body))
  if (directory === undefined) return undefined
  const { blocks } = directory
  if (!isVerified) {
    await inspection.read(pack.items, (body) => checkBlocks(inspection, pack, directory, body))
    const { raw } = pack
    if (raw !== null)
      await inspection.read(raw, (body) => checkRaws(inspection, raw.key, directory, body))
  }
  return blocks.flatMap(({ arrivals }) => arrivals)
}

function checkBlocks(
  inspection: VerifyFiles,
  { items: { key }, first, last }: PackRef,
  { blocks }: PackDirectory,
  body: Uint8Array
): void {
  for (const { at, bytes, arrivals } of blocks) {
    const { header } = decodeVectorBatch(body.subarray(at, at + bytes))
    const isInRange = arrivals.every((arrival) => arrival >= first && arrival <= last)
    inspection.expect(
      header.items.length === arrivals.length && isInRange,
      'content',
      key,
      `does not hold what its directory says from byte ${at}`
    )
  }
}

function checkRaws(
  inspection: VerifyFiles,
  key: string,
  { blocks }: PackDirectory,
  body: Uint8Array
): void {
  for (const [i, { rawAt, rawSum }] of blocks.entries()) {
    const own = body.subarray(rawAt, blocks[i + 1]?.rawAt ?? body.length)
    inspection.expect(
      sha256Hex(own) === rawSum,
      'checksum',
      key,
      `the raw vectors from byte ${rawAt} do not match their checksum`
    )
  }
}
