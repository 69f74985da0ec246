// Keeps a threshold with the collection, and with what it belongs to.
import type { CalibratedThreshold } from '@likeness/shared/contract/calibrated-threshold'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ApiClient } from '../api/api-client.ts'
import type { ThresholdPoint } from './threshold-curve.ts'

/**
 * `collection`: as it was before anything was asked. Where it changed meanwhile, the threshold is
 * kept and not used.
 */
export async function keepThreshold(
  api: Pick<ApiClient, 'changeSettings'>,
  { name, embedding, weights, settings, items }: CollectionAnswer,
  { score_thres, falseAccept, falseReject }: ThresholdPoint
): Promise<void> {
  const parts = weights === null ? [] : (embedding.parts ?? [])
  const kept: CalibratedThreshold = {
    score_thres,
    embedding: embedding.version,
    parts: parts.map((part) => weights![part.name]!),
    cohort_weight: Number(settings['cohort_weight'] ?? 0),
    items,
    false_accept: falseAccept,
    false_reject: falseReject
  }
  await api.changeSettings(name, { score_thres: null, calibrated_threshold: kept })
}
