// Pictures at the end of a simulation: those of every live item, and of the items of snapshots, are
// there. Those that nobody needs since two folds are not.
import {
  decodeBase,
  decodeDeadPictures,
  decodePackPictures,
  encodeDeadPictures,
  type FileRef,
  type Manifest,
  manifestSchema
} from '@likeness/engine/testing/internals'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { tableStore } from './folded.ts'
import { pictureOf } from './ingestion-plan.ts'
import { type ReadVersion, readWhole } from './version-check.ts'
import { Violation } from './violation.ts'
import type { Machine, World } from './world.ts'

/** Keys of the pictures of a version and its snapshots. */
async function neededPictures(
  world: World,
  machine: Machine,
  { manifest, items }: ReadVersion
): Promise<Set<string>> {
  const keys = [...items.values()].map(({ imageKey }) => imageKey!)
  for (const { manifest: key } of Object.values(manifest.snapshots)) {
    const held = decodeObject(manifestSchema, key, world.table.get(key)!.body)
    for (const { imageKey } of (await readWhole(machine, held)).items.values()) keys.push(imageKey!)
  }
  return new Set(keys)
}

/** Keys of the pictures that the newest base has, and of those that it lets go. */
async function picturesOfBase(world: World, { history }: Manifest): Promise<Set<string>> {
  const { base } = await decodeBase(tableStore(world), history!.base!.key)
  const prefix = collectionKeys(base.spec.collectionId).imagePrefix
  const bodyOf = ({ key }: FileRef): Uint8Array => world.table.get(key)?.body ?? noNames
  return new Set(
    [
      ...base.packs.flatMap(({ pictures }) =>
        pictures ? decodePackPictures(pictures.key, bodyOf(pictures)) : []
      ),
      ...base.deadPictures.flatMap((list) =>
        decodeDeadPictures(list.key, bodyOf(list)).map((name) => ({ name }))
      )
    ].map(({ name }) => `${prefix}${name}`)
  )
}
const noNames = encodeDeadPictures([])

export async function checkPictures(
  world: World,
  machine: Machine,
  version: ReadVersion
): Promise<void> {
  const { table } = world
  const { manifest } = version
  const needed = await neededPictures(world, machine, version)
  for (const key of needed)
    if (table.get(key) === undefined) throw new Violation('picture', `${key} is deleted`)
  const previous = manifest.history?.previous
  if (previous === undefined || previous === null) return
  const truth = world.truthOf(manifest.spec.collectionId)
  const known = await picturesOfBase(world, manifest)
  for (const plan of truth.accepted()) {
    if ((truth.completedSeq.get(plan.ingestion) ?? Infinity) > previous.seq) continue
    for (const [ordinal, { fails }] of plan.items.entries()) {
      const key = pictureOf(plan, ordinal)
      if (fails || needed.has(key) || known.has(key) || table.get(key) === undefined) continue
      throw new Violation('no-leak', `${key} is left`)
    }
  }
}
