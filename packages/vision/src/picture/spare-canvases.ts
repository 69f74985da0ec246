// Reuses canvases. A new canvas for each run (2 MB at 416 px) is garbage outside V8's heap, which
// is collected only with the whole heap. That cost an inference process 5 to 10 % of its time.

/** Runs `work` on f32 [length] that no other call uses meanwhile; the old values are arbitrary. */
export type UseCanvas = <T>(
  length: number,
  work: (canvas: Float32Array) => Promise<T>
) => Promise<T>

/** Keeps the most recently used canvases, `maxBytes` together. */
export function createSpareCanvases(maxBytes = 32 * 1024 ** 2): UseCanvas {
  const spare: Float32Array[] = []
  let bytes = 0
  function remove(at: number): Float32Array {
    const [canvas] = spare.splice(at, 1)
    bytes -= canvas!.byteLength
    return canvas!
  }
  function take(length: number): Float32Array {
    const at = spare.findIndex((canvas) => canvas.length === length)
    return at < 0 ? new Float32Array(length) : remove(at)
  }
  function giveBack(canvas: Float32Array): void {
    spare.push(canvas)
    bytes += canvas.byteLength
    while (bytes > maxBytes) remove(0)
  }
  return async (length, work) => {
    const canvas = take(length)
    try {
      return await work(canvas)
    } finally {
      giveBack(canvas)
    }
  }
}
