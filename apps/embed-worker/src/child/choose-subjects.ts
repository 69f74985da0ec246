// Chooses the detected subjects that count: by class, only the main subject where the settings ask
// for it, and no more than the limit.
import type { Enrolment } from '@likeness/shared/contract/picture-settings'
import type { Subject } from '@likeness/vision'

export interface SubjectOptions extends Pick<Enrolment, 'classes' | 'without_classes'> {
  which: 'all' | 'main'
  most: number
}

/** Returns subjects in the given order, best score first; with `main`, the main subject alone. */
export function chooseSubjects(
  subjects: readonly Subject[],
  picture: { width: number; height: number },
  { classes, without_classes: without, which, most }: SubjectOptions
): Subject[] {
  const counted = subjects.filter(
    ({ className }) =>
      (classes.length === 0 || classes.includes(className)) && !without.includes(className)
  )
  if (which === 'all' || counted.length < 2) return counted.slice(0, most)
  return [
    counted.reduce((best, one) => (mainness(one, picture) > mainness(best, picture) ? one : best))
  ]
}

/** Score of a subject that is large, in the middle, and detected with confidence. */
function mainness(
  { box: [x1, y1, x2, y2], score }: Subject,
  { width, height }: { width: number; height: number }
): number {
  const side = Math.sqrt(((x2 - x1) * (y2 - y1)) / (width * height))
  const away = Math.hypot((x1 + x2) / width - 1, (y1 + y2) / height - 1) / Math.SQRT2
  return score * side * (1 - away / 2)
}
