// Writes the lines that a commit has changed. They stay in the manifest while they are few. Then they
// become a delta, which takes in the deltas that are not larger, so that there are few of them. When
// the deltas grow beyond half of the base, all lines are written again.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { Turns } from '@likeness/shared/process/turns'
import type { FileRef } from './file-ref.ts'
import {
  decodeStateLines,
  encodeStateLines,
  lineName,
  type StateLine,
  type StateRef
} from './state-lines.ts'

/** How state lines are laid out. */
export interface StateShape {
  /** Bytes of lines that a manifest holds. Each commit writes them again. */
  recentBytes: number
  /** Bytes of deltas below which the base is not written again. */
  leastDeltaBytes: number
  /** Bytes of deltas with which the base is written again, whatever its size. */
  mostDeltaBytes: number
  /** Bytes of a part of a base: what the answer about one job has to read. */
  partBytes: number
  /** A state of so few lines begins again instead of growing another delta. */
  fewLines: number
  /** Ended jobs of a page. As many are kept as lines until there are enough for one. */
  jobsOfPage: number
}
export const stateShape: StateShape = {
  recentBytes: 32 * 1024,
  leastDeltaBytes: 1024 * 1024,
  mostDeltaBytes: 64 * 1024 * 1024,
  partBytes: 1024 * 1024,
  fewLines: 64,
  jobsOfPage: 1000
}

export interface StateOutput {
  files: {
    /** Writes immutable bytes under a key that was never used. Durable when resolved. */
    put(key: string, body: Uint8Array): Promise<FileRef>
    /** Returns the whole file, checked. */
    get(ref: FileRef): Promise<Uint8Array>
  }
  keys: CollectionKeys
  shape: StateShape
}

export interface StateChange {
  /** Lines that differ from the parent's. */
  changed: readonly StateLine[]
  /** Number of lines of the new version. */
  size: number
  /** Returns the lines of the new version, in any order. */
  all: () => Iterable<StateLine>
  /** Whether the parent's lines are those of something else. */
  replaces: boolean
}

const sumOf = (files: readonly { sizeBytes: number }[]): number =>
  files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

/** Returns the lines with later ones in the place of earlier ones of the same key. */
function merged(earlier: readonly StateLine[], later: readonly StateLine[]): StateLine[] {
  const lines = new Map<string, StateLine>()
  for (const line of [...earlier, ...later]) lines.set(lineName(line), line)
  return [...lines.values()]
}

/** `commitId`: new for each commit. Writes files under keys that were never used. */
export async function writeStateLines(
  output: StateOutput,
  commitId: string,
  parent: StateRef,
  change: StateChange
): Promise<StateRef> {
  const { files, keys, shape } = output
  if (change.replaces) return await writeAll(output, commitId, change)
  const { base } = parent
  const deltas = [...parent.deltas]
  let lines = merged(parent.recent, change.changed)
  // Nothing below these lines has the keys that are gone.
  if (base.length === 0 && deltas.length === 0) lines = lines.filter(({ value }) => value !== null)
  let body = encodeStateLines(lines)
  if (body.byteLength <= shape.recentBytes) return { base, deltas, recent: lines }
  if (change.size <= shape.fewLines) return await writeAll(output, commitId, change)
  for (let last = deltas.at(-1); last !== undefined && last.sizeBytes <= body.byteLength; ) {
    lines = merged(decodeStateLines(last.key, await files.get(last)), lines)
    body = encodeStateLines(lines)
    deltas.pop()
    last = deltas.at(-1)
  }
  const allowed = Math.max(shape.leastDeltaBytes, Math.min(sumOf(base) / 2, shape.mostDeltaBytes))
  if (sumOf(deltas) + body.byteLength > allowed) return await writeAll(output, commitId, change)
  deltas.push(await files.put(keys.stateDelta(commitId), body))
  return { base, deltas, recent: [] }
}

async function writeAll(
  { files, keys, shape }: StateOutput,
  commitId: string,
  { all }: StateChange
): Promise<StateRef> {
  const lines = Array.from(all(), (line) => ({ name: lineName(line), line }))
  lines.sort((a, b) => (a.name < b.name ? -1 : 1))
  const turns = new Turns()
  const base: StateRef['base'][number][] = []
  let part: StateLine[] = []
  let bytes = 0
  const write = async () => {
    const first = part[0]
    if (first === undefined) return
    const key = keys.stateBase(commitId, base.length)
    base.push({ ...(await files.put(key, encodeStateLines(part))), first: lineName(first) })
    part = []
    bytes = 0
  }
  for (const { line } of lines) {
    await turns.take()
    part.push(line)
    bytes += JSON.stringify(line).length
    if (bytes >= shape.partBytes) await write()
  }
  if (base.length === 0 && encodeStateLines(part).byteLength <= shape.recentBytes)
    return { base: [], deltas: [], recent: part }
  await write()
  return { base, deltas: [], recent: [] }
}
