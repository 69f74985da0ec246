// The form of every check, of what it looks at and of what it finds.
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ApiClient, ApiStatus } from '../api/api-client.ts'
import type { Neighbourhood } from './facts/ask-neighbours.ts'
import type { AskedPicture } from './facts/ask-pictures.ts'
import type { RecallAt } from './facts/measure-recall.ts'
import type { SampledItem } from '../sampling/sample-items.ts'

export const complaints = ['wrong', 'slow', 'memory'] as const
/** Answers are wrong, answers are slow, or too much memory or disk is used. */
export type Complaint = (typeof complaints)[number]

/** Facts that several checks read. Each is asked once, by the first check that needs it. */
export interface Facts {
  /** Items with vectors, spread over those that were read. */
  items(): Promise<readonly SampledItem[]>
  /** What lies near some of these items. */
  neighbourhoods(): Promise<readonly Neighbourhood[]>
  /** Pictures of some items, and how they are answered. Empty without pictures. */
  pictures(): Promise<readonly AskedPicture[]>
  /** Recall of searches with a budget, against exact search. */
  recallAt: RecallAt
}

export interface Stack {
  api: ApiClient
  status: ApiStatus
}
export interface Subject extends Stack {
  collection: CollectionAnswer
  facts: Facts
}

export interface Found {
  /** What was found, with numbers. */
  found: string
  /** What it means. */
  says: string
  /** What to type, a command a line. */
  type: readonly string[]
  /** Things that show it: ids, and URLs of their pictures. */
  examples?: readonly string[]
}
interface Named {
  /** Stable: scripts read it. */
  id: string
  complaint: Complaint
}
export interface CollectionCheck extends Named {
  /** Resolves with undefined when nothing is found. */
  examine(subject: Subject): Promise<Found | undefined>
}
/** Looks at the processes, whatever collections there are. */
export interface StackCheck extends Named {
  examine(stack: Stack): Promise<Found | undefined>
}

export interface Finding extends Named, Found {
  /** null: it is about the whole stack. */
  collection: string | null
}
/** A check that could not look. */
export interface Unseen {
  id: string
  collection: string | null
  reason: string
}
