// Measures the time of a picture: fitted into the canvas, a run, vectors read.
import type { Embedder } from '../model/embedder.ts'
import { dummyPictures } from '../picture/dummy-pictures.ts'

/**
 * Milliseconds, the median of `runs` after two uncounted runs. `nowMs`: another clock than the wall
 * clock.
 */
export async function measureRun(
  embedder: Pick<Embedder, 'embed' | 'manifest'>,
  runs = 7,
  nowMs = () => performance.now()
): Promise<number> {
  const { width, height } = embedder.manifest.inputSize
  const planes = dummyPictures({ width, height })[1]!
  const picture = { rgb: Uint8Array.from(planes, (value) => value * 255), width, height }
  const times: number[] = []
  for (let run = -2; run < runs; run++) {
    const startedMs = nowMs()
    await embedder.embed(picture)
    if (run >= 0) times.push(nowMs() - startedMs)
  }
  return times.sort((a, b) => a - b)[runs >> 1]!
}
