// Builds the answer that tells a trouble of a process.
import { maxTroubles } from '@likeness/shared/contract/limits'
import type { TroubleAnswer } from '@likeness/shared/contract/http/troubles'
import type { ProcessTrouble } from '../workers/worker-registry.ts'

/** The first of them, oldest first; what several processes say alike is told once. */
export function troubleAnswers(troubles: readonly ProcessTrouble[]): TroubleAnswer[] {
  const told = new Map<string, TroubleAnswer>()
  for (const { process, code, detail, sinceMs, collectionId } of [...troubles].sort(
    (a, b) => a.sinceMs - b.sinceMs
  )) {
    const key = JSON.stringify([process, code, detail, collectionId])
    if (told.has(key) || told.size >= maxTroubles) continue
    told.set(key, {
      process,
      code,
      detail,
      incarnation: collectionId ?? null,
      since: new Date(sinceMs).toISOString()
    })
  }
  return [...told.values()]
}
