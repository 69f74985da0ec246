// Measures milliseconds a picture of two models on a machine that also does other work.
import { measureRun } from '../import/measure-run.ts'
import type { Embedder } from '../model/embedder.ts'

const rounds = 8
const runsARound = 5

/**
 * Processor time, so that a busy machine compares like an idle machine. The models take turns, and
 * the best round of each counts.
 */
export async function compareSpeed({
  float,
  int8
}: {
  float: Embedder
  int8: Embedder
}): Promise<{ float: number; int8: number }> {
  const best = { float: Infinity, int8: Infinity }
  for (let round = 0; round < rounds; round++) {
    best.float = Math.min(best.float, await measureRun(float, runsARound, processorMs))
    best.int8 = Math.min(best.int8, await measureRun(int8, runsARound, processorMs))
  }
  return { float: Number(best.float.toFixed(2)), int8: Number(best.int8.toFixed(2)) }
}

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
