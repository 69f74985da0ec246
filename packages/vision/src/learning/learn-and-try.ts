// A projection learned from five sixths of the references, and how often a view of the others finds its own with it, without it, and with another.
import { createHash } from 'node:crypto'
import { linearTransform } from '@likeness/faiss'
import type { Profile } from '../profile.ts'
import type { ReferenceViews } from './embed-views.ts'
import { answersAmong, isClearlyBetter, recallAmong, shareOf } from './held-out-recall.ts'
import { learnProjection } from './learn-projection.ts'
import type { Projection } from './learn-projection.ts'

export interface Trial {
  /** Matrix, then bias; little-endian f32. */
  file: Uint8Array
  sha256: string
  dIn: number
  dOut: number
  /** Learned from, and kept apart. */
  references: number
  heldOut: number
  recallRaw: number
  recallProjected: number
  /** With the projection that it is compared with; and whether the new one is better by more than chance would make of it. */
  recallBefore: number | null
  isBetter: boolean
}

const dim = 512
const heldOutEvery = 6

/** Rejects with `invalid_request` when there are too few references. */
export async function learnAndTry(views: readonly ReferenceViews[], { before }: { before?: Pick<Profile, keyof Projection> } = {}): Promise<Trial> {
  const isHeldOut = (_: unknown, i: number): boolean => i % heldOutEvery === heldOutEvery - 1
  const heldOut = views.filter(isHeldOut)
  const learnedFrom = views.filter((own, i) => !isHeldOut(own, i))
  const projection = await learnProjection(learnedFrom, dim)
  const file = toBytes(projection)
  const after = await answersThrough(projection, heldOut)
  const answersBefore = before && (await answersThrough(before, heldOut))
  return {
    file, sha256: createHash('sha256').update(file).digest('hex'), dIn: projection.dIn, dOut: projection.dOut,
    references: learnedFrom.length, heldOut: heldOut.length,
    recallRaw: rounded(recallAmong(heldOut)),
    recallProjected: rounded(shareOf(after)),
    recallBefore: answersBefore === undefined ? null : rounded(shareOf(answersBefore)),
    isBetter: answersBefore === undefined || isClearlyBetter(after, answersBefore)
  }
}

async function answersThrough({ matrix, bias, dIn, dOut }: Projection, views: readonly ReferenceViews[]): Promise<boolean[]> {
  const projected = []
  for (const own of views) projected.push(await Promise.all(own.map((row) => linearTransform(row, { matrix, bias, dIn, dOut, normalize: true }))))
  return answersAmong(projected)
}

const rounded = (share: number): number => Number(share.toFixed(4))

function toBytes({ matrix, bias }: Projection): Uint8Array {
  const all = new Float32Array(matrix.length + bias.length)
  all.set(matrix)
  all.set(bias, matrix.length)
  return new Uint8Array(all.buffer)
}
