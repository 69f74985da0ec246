// Every check, cheap ones first.
import type { CollectionCheck, StackCheck } from './check.ts'
import { contradictions } from './checks/contradictions.ts'
import { detection } from './checks/detection.ts'
import { disk } from './checks/disk.ts'
import { embedding } from './checks/embedding.ts'
import { greedyLabel } from './checks/greedy-label.ts'
import { lengths } from './checks/lengths.ts'
import { memory } from './checks/memory.ts'
import { recall } from './checks/recall.ts'
import { noBoxes } from './checks/no-boxes.ts'
import { replica } from './checks/replica.ts'
import { searchBudget } from './checks/search-budget.ts'
import { segments } from './checks/segments.ts'
import { smallPictures } from './checks/small-pictures.ts'
import { threshold } from './checks/threshold.ts'
import { droppedThreshold } from './checks/dropped-threshold.ts'

export const stackChecks: readonly StackCheck[] = [disk]

export const collectionChecks: readonly CollectionCheck[] = [
  replica,
  droppedThreshold,
  segments,
  memory,
  embedding,
  smallPictures,
  lengths,
  contradictions,
  greedyLabel,
  threshold,
  recall,
  searchBudget,
  noBoxes,
  detection
]
