// Damages one place after another, checks the reaction of every reader, and restores the place.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Replica } from '@likeness/engine/contract'
import { verifyCollection } from '@likeness/engine/testing/internals'
import { vectorOf } from '@likeness/engine/testing/test-items'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { seededRandom } from '@likeness/shared/data/random'
import { messageOf } from '@likeness/shared/errors'
import { createDamagedGallery, type DamagedGallery, idsOf, storedKinds } from './damaged-gallery.ts'
import { judges, verifyNames } from './judges.ts'
import { type Damage, inflict } from './stored-file.ts'

export interface PlacesReport {
  seed: number
  places: number
  /** Number of places of each kind. */
  counts: Record<string, number>
  flips: number
  cuts: number
  /** Damages that were not detected, or not handled correctly. */
  undetected: string[]
}

const localKinds = ['payload', 'columns', 'vectors'] as const
const cutShare = 0.3

/** Draws a place in a file. A cut removes at least one byte. */
async function drawPlace(random: () => number, path: string): Promise<Damage> {
  const { size } = await stat(path)
  const at = Math.floor(random() * size)
  return random() < cutShare ? { path, at } : { path, at, bit: Math.floor(random() * 8) }
}

const describe = ({ at, bit }: Damage): string =>
  bit === undefined ? `cut at ${at}` : `bit ${bit} of byte ${at} flipped`
const pick = <T>(random: () => number, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)]!

async function damageStored(
  damaged: DamagedGallery,
  kind: (typeof storedKinds)[number],
  { random, verified }: { random: () => number; verified: boolean }
): Promise<{ damage: Damage; problems: string[] }> {
  const key = pick(random, damaged.keysOf.get(kind)!)
  const damage = await drawPlace(random, damaged.files.get(key)!)
  const repair = await inflict(damage)
  try {
    const problems: string[] = []
    for (const judge of judges[kind]) {
      if (judge === verifyNames && !verified) continue
      const problem = await judge(damaged, key).catch(
        (error: unknown) => `${judge.name} fails: ${messageOf(error)}`
      )
      if (problem !== undefined) problems.push(`${kind} ${key}, ${describe(damage)}: ${problem}`)
    }
    return { damage, problems }
  } finally {
    await repair()
  }
}

/** Reads all data of the files that a replica keeps: items, vectors, columns. */
async function readAll(replica: Replica, collectionId: string): Promise<string> {
  const reader = await replica.acquire(collectionId, { consistency: 'eventual', timeoutMs: 30_000 })
  try {
    const [hits] = await reader.search({ vectors: vectorOf(1_100), k: 600 })
    const scores = hits!.map(({ item, score }) => `${item.id} ${item.label} ${score}`)
    const vectors: string[] = []
    for await (const { item, vectors: values } of reader.scrollVectors())
      vectors.push(`${item.id} ${denseRows(values).join()}`)
    const [filtered] = await reader.search({
      vectors: vectorOf(1_100),
      k: 5,
      filter: { label: 'label-1300' }
    })
    return [...scores, ...vectors.sort(), ...filtered!.map(({ item }) => item.id)].join('\n')
  } finally {
    reader.release()
  }
}

/**
 * Damages a file below a replica that has the version loaded. The replica must notice during a
 * read, and fetch the file again.
 */
async function damageLocal(
  damaged: DamagedGallery,
  kind: (typeof localKinds)[number],
  random: () => number,
  reading: { replica: Replica; cacheDir: string; expected: string }
): Promise<{ damage: Damage; problems: string[] }> {
  const names = (await readdir(reading.cacheDir)).filter((name) => name.endsWith(`.${kind}`)).sort()
  const damage = await drawPlace(random, join(reading.cacheDir, pick(random, names)))
  const repair = await inflict(damage)
  const answer = await readAll(reading.replica, damaged.gallery.spec.collectionId).catch(
    (error: Error) => error.message
  )
  if (answer === reading.expected) return { damage, problems: [] }
  await repair()
  return {
    damage,
    problems: [
      `local ${kind} ${damage.path}, ${describe(damage)}: other answers: ${answer.slice(0, 200)}`
    ]
  }
}

/**
 * `verifyEvery`: for each kind, verify must name the file at the first place of this many places.
 */
export async function runPlaces({
  places,
  seed,
  verifyEvery = 1,
  onProgress
}: {
  places: number
  seed: number
  verifyEvery?: number
  onProgress?: (done: number) => void
}): Promise<PlacesReport> {
  const damaged = await createDamagedGallery()
  const { spec, store } = damaged.gallery
  const random = seededRandom(seed)
  const report: PlacesReport = { seed, places: 0, counts: {}, flips: 0, cuts: 0, undetected: [] }
  const { replica, cacheDir, close } = await damaged.newReplica()
  try {
    for (const kind of storedKinds)
      if ((damaged.keysOf.get(kind) ?? []).length === 0)
        throw new Error(`the collection has no ${kind}`)
    await replica
      .acquire(spec.collectionId, { consistency: 'strong', timeoutMs: 30_000 })
      .then((reader) => reader.release())
    const expected = await readAll(replica, spec.collectionId)
    const turns = [
      ...storedKinds.map((kind) => ({
        name: kind,
        run: (round: number) =>
          damageStored(damaged, kind, { random, verified: round % verifyEvery === 0 })
      })),
      ...localKinds.map((kind) => ({
        name: `local ${kind}`,
        run: () => damageLocal(damaged, kind, random, { replica, cacheDir, expected })
      }))
    ]
    for (; report.places < places; report.places++) {
      const { name, run } = turns[report.places % turns.length]!
      const { damage, problems } = await run(Math.floor(report.places / turns.length))
      report.counts[name] = (report.counts[name] ?? 0) + 1
      if (damage.bit === undefined) report.cuts++
      else report.flips++
      report.undetected.push(...problems)
      onProgress?.(report.places + 1)
    }
    report.undetected.push(...(await isWhole(damaged)))
    const { problems } = await verifyCollection({
      store,
      collectionId: spec.collectionId,
      scratchDir: join(damaged.dir, 'verify')
    })
    report.undetected.push(...problems.map(({ key, message }) => `repaired, and ${key} ${message}`))
    return report
  } finally {
    await close()
    await damaged.close()
  }
}

/** Checks after every repair that the replica with the old version gets the new version at once. */
async function isWhole({ old, ids, seq, gallery: { spec } }: DamagedGallery): Promise<string[]> {
  const now = await idsOf(old.replica, spec.collectionId, 'strong')
  return now.seq === seq && now.ids.join() === ids.join()
    ? []
    : [`repaired, and the old replica serves version ${now.seq} with ${now.ids.length} items`]
}
