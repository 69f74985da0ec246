// Converts the weights of a convolution to int8 with a scale for each output channel, and the bias
// to the scale of the products.

export interface ByteWeights {
  weights: Int8Array
  /** f32 [channels] */
  scales: Float32Array
}

/**
 * The full byte; session.ts handles processors that would overflow. With 7 bits, a box in twenty
 * was lost.
 */
const mostWeight = 127
/** Limit of a bias that fits in 32 bits. */
const mostBias = 2 ** 30

/** `bias`: f32 [channels] or undefined; `inputScale`: scale of the convolution's input. */
export function quantizeWeights(
  values: Float32Array,
  channels: number,
  { bias, inputScale }: { bias: Float32Array | undefined; inputScale: number }
): ByteWeights {
  const perChannel = values.length / channels
  const weights = new Int8Array(values.length)
  const scales = new Float32Array(channels)
  for (let channel = 0; channel < channels; channel++) {
    const own = values.subarray(channel * perChannel, (channel + 1) * perChannel)
    const most = own.reduce((so, value) => Math.max(so, Math.abs(value)), 0)
    const scale = Math.fround(
      Math.max(most / mostWeight, Math.abs(bias?.[channel] ?? 0) / (inputScale * mostBias), 1e-12)
    )
    scales[channel] = scale
    own.forEach((value, i) => void (weights[channel * perChannel + i] = Math.round(value / scale)))
  }
  return { weights, scales }
}

export function quantizeBias(bias: Float32Array, scales: Float32Array): Int32Array {
  return Int32Array.from(bias, (value, channel) => Math.round(value / scales[channel]!))
}
