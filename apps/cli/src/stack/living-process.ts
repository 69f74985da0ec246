// A process that cannot be mistaken for a later one: its id, and its start time, because ids are used
// again.
import { readFileSync } from 'node:fs'

export interface LivingProcess {
  pid: number
  /** Start time from /proc; empty on a system without /proc, where only the pid counts. */
  startedAt: string
}

/**
 * Field 22 of /proc/<pid>/stat: clock ticks since boot. The command name before it may hold spaces
 * and brackets.
 */
function startTimeOf(pid: number): string {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19] ?? ''
    )
  } catch {
    return ''
  }
}

export const thisProcess = (): LivingProcess => ({
  pid: process.pid,
  startedAt: startTimeOf(process.pid)
})

export function isAlive({ pid, startedAt }: LivingProcess): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startedAt === startTimeOf(pid)
}
