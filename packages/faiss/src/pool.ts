// Size of the addon's thread pool.
import { addon } from './addon.ts'
import { requireInteger } from './argument-checks.ts'
import { invalidArgument } from './faiss-error.ts'

/**
 * Sets the size for the whole process, before the first operation. Default: the smaller of 4 and
 * the number of cores.
 */
export function configurePool({ threads }: { threads: number }): void {
  requireInteger('threads', threads, 1, 256)
  if (!addon.configurePool(threads))
    throw invalidArgument('the pool already runs: configure it before the first operation')
}
