// A process that cannot be mistaken for a later one: its id, and its start time, because ids are used
// again.
import { readFileSync } from 'node:fs'

export interface LivingProcess {
  pid: number
  /** Start time from /proc; empty on a system without /proc, where only the pid counts. */
  startedAt: string
}

/**
 * Fields of /proc/<pid>/stat after the command name, which may hold spaces and brackets: 0 is the
 * state, 19 the clock ticks from boot to the start. Empty without /proc.
 */
function fieldsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return []
  }
}

export const thisProcess = (): LivingProcess => ({
  pid: process.pid,
  startedAt: fieldsOf(process.pid)[19] ?? ''
})

/** An ended process that its parent has not asked for does not live. */
export function isAlive({ pid, startedAt }: LivingProcess): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const fields = fieldsOf(pid)
  return startedAt === (fields[19] ?? '') && !['Z', 'X'].includes(fields[0] ?? '')
}
