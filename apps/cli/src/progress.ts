// A progress bar with rate and time left: redrawn in place on a terminal, a line every few seconds
// elsewhere.

export interface Progress {
  /** `doneBefore`: done before the clock started, not part of the rate. */
  show(done: number, total: number, doneBefore?: number): void
  done(): void
}
export interface ProgressDeps {
  write: (text: string) => void
  isTerminal: boolean
  nowMs: () => number
}

const barWidth = 30
const lineEveryMs = 5_000

export interface ProgressState {
  label: string
  unit: string
  done: number
  total: number
  elapsedMs: number
  doneBefore?: number
}

export function formatProgress({
  label,
  unit,
  done,
  total,
  elapsedMs,
  doneBefore = 0
}: ProgressState): string {
  const filled = total === 0 ? barWidth : Math.floor((barWidth * done) / total)
  const rate = elapsedMs > 0 ? (1000 * (done - doneBefore)) / elapsedMs : 0
  const left = rate > 0 ? `${Math.ceil((total - done) / rate)} s left` : 'starting'
  return `${label} [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done}/${total}  ${rate.toFixed(1)} ${unit}/s  ${done === total ? 'done' : left}`
}

export function createProgress(
  { label, unit }: { label: string; unit: string },
  { write, isTerminal, nowMs }: ProgressDeps
): Progress {
  const startedMs = nowMs()
  let last = ''
  let lastMs = -Infinity
  return {
    show(done, total, doneBefore = 0) {
      const isDue = isTerminal || done === total || nowMs() - lastMs >= lineEveryMs
      const text = formatProgress({
        label,
        unit,
        done,
        total,
        elapsedMs: nowMs() - startedMs,
        doneBefore
      })
      if (!isDue || text === last) return
      write(isTerminal ? `\r\x1b[2K${text}` : `${text}\n`)
      last = text
      lastMs = nowMs()
    },
    done: () => {
      if (isTerminal && last !== '') write('\n')
    }
  }
}
