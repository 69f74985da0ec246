// What clients have asked for: settings, and an embedding.
import type { Manifest } from '@likeness/engine/testing/internals'
import type { SettingsChange } from '@likeness/shared/contract/collection'
import { embedding } from './ingestion-plan.ts'
import type { Truth } from './truth.ts'
import { Violation } from './violation.ts'

/** Returns the settings from the changes by clients up to a slot; creation sets none of them. */
export function expectedSettings(truth: Truth, appliedSlot: number): SettingsChange {
  const changes = truth.operationsOf('configure', appliedSlot).map(({ settings }) => settings)
  return Object.assign({}, ...changes) as SettingsChange
}

/** Checks that a version has the first embedding, or one requested up to the version's slot. */
export function checkEmbedding(
  truth: Truth,
  {
    seq,
    appliedSlot,
    spec: {
      embedding: { version }
    }
  }: Manifest
): void {
  const asked = truth.operationsOf('reproject', appliedSlot).map((one) => one.embedding.version)
  if (version !== embedding.version && !asked.includes(version))
    throw new Violation(
      'effect',
      `version ${seq} has the embedding ${version}, which nobody asked for`
    )
}

/** Checks that the last requested embedding is there at the end, unless vectors were supplied. */
export function checkLastRequest(truth: Truth, { seq, spec, reprojection }: Manifest): void {
  const last = truth.operationsOf('reproject').at(-1)
  if (last === undefined) return
  const isGiven = truth.operationsOf('ingest').some(({ given }) => given === true)
  const isDone =
    reprojection?.state === 'applied'
      ? spec.embedding.version === last.embedding.version
      : reprojection?.state === 'raw_vectors_missing' && isGiven
  if (!isDone)
    throw new Violation(
      'progress',
      `${last.embedding.version} was asked for last, and version ${seq} has ${spec.embedding.version}: ${reprojection?.state}`
    )
}
