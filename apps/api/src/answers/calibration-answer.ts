// Shows how sure answers of a collection are, and where that is known from.
import type { VersionSummary } from '@likeness/engine/contract'
import { priorOf } from '@likeness/shared/confidence/prior'
import type { CalibrationAnswer } from '@likeness/shared/contract/http/collections'

/** A calibration of an earlier embedding is not used any more. */
export function calibrationAnswer({
  calibration,
  embedding: { version }
}: Pick<VersionSummary, 'calibration' | 'embedding'>): CalibrationAnswer {
  if (calibration === null || calibration.embedding !== version)
    return {
      kind: 'prior',
      prior: priorOf(version).name,
      learned_at: null,
      items: 0,
      probes: { known: 0, strangers: 0 },
      ece: null,
      reliability: [],
      curve: []
    }
  const { kind, prior, createdAtMs, items, probes, ece, reliability, curve } = calibration
  return {
    kind,
    prior,
    learned_at: new Date(createdAtMs).toISOString(),
    items,
    probes,
    ece,
    reliability,
    curve: curve.map(({ confidence, falseAccept, falseReject }) => ({
      confidence,
      false_accept: falseAccept,
      false_reject: falseReject
    }))
  }
}
