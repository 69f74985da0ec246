/**
 * Returns what a task asks before it begins: what to call at its end, or null while another one is
 * under way.
 */
export function oneAtATime(): () => (() => void) | null {
  let isBusy = false
  return () => {
    if (isBusy) return null
    isBusy = true
    return () => void (isBusy = false)
  }
}
