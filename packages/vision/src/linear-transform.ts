// Stand-in until the native one is here.
export async function linearTransform(
  x: Float32Array,
  { matrix, bias, dIn, dOut, normalize }: { matrix: Float32Array; bias: Float32Array; dIn: number; dOut: number; normalize: boolean }
): Promise<Float32Array> {
  const out = new Float32Array((x.length / dIn) * dOut)
  for (let row = 0; row * dIn < x.length; row++) {
    let norm = 0
    for (let i = 0; i < dOut; i++) {
      let sum = bias[i]!
      for (let j = 0; j < dIn; j++) sum += matrix[i * dIn + j]! * x[row * dIn + j]!
      out[row * dOut + i] = sum
      norm += sum * sum
    }
    if (normalize && norm > 0) for (let i = 0; i < dOut; i++) out[row * dOut + i] = out[row * dOut + i]! / Math.sqrt(norm)
  }
  return out
}
