// The items that an operation leaves, by the rules of the contract alone.
import { matchesFilter, OrdinalRanges } from '@likeness/engine/testing/internals'
import type { Operation } from '@likeness/shared/contract/operation'
import { failsIn, type IngestionPlan, labelOf } from './ingestion-plan.ts'

export interface ExpectedItem {
  plan: IngestionPlan
  ordinal: number
  revision: number
  label: string
}

export function expectEffect(items: Map<string, ExpectedItem>, operation: Operation): void {
  if (operation.kind === 'delete') for (const id of operation.ids) items.delete(id)
  else if (operation.kind === 'delete_where') {
    for (const [id, { label }] of items)
      if (matchesFilter(operation.filter, () => label)) items.delete(id)
  } else if (operation.kind === 'relabel') {
    for (const id of operation.ids) {
      const item = items.get(id)
      if (item !== undefined) items.set(id, { ...item, label: operation.label ?? item.label })
    }
  }
}

/** `done`: ordinals that are done, as ranges; undefined when the ingestion was finished. */
export function expectIngested(
  items: Map<string, ExpectedItem>,
  {
    plan,
    done: ranges,
    revision,
    version
  }: { plan: IngestionPlan; done: string | undefined; revision: number; version: string }
): void {
  const done = ranges === undefined ? undefined : OrdinalRanges.parse(ranges)
  plan.items.forEach(({ id }, ordinal) => {
    if (!failsIn(plan, ordinal, version) && (done === undefined || done.has(ordinal)))
      items.set(id, { plan, ordinal, revision, label: labelOf(plan, ordinal) })
  })
}
