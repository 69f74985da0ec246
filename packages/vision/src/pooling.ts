// How a box of a feature map becomes numbers; the graph and the oracle both read it here.

/** y = RoiAlign(avg, grid x grid, samplingRatio, half_pixel, (relu(x) + epsilon)^power)^(1/power), then unit length per map. */
export const pooling = { grid: 3, samplingRatio: 2, power: 3, epsilon: 0.001 } as const

/** The wording a manifest uses for exactly this pooling; any other wording is refused rather than guessed at. */
export const poolingText =
  'y = RoiAlign(avg, 3x3, sampling_ratio 2, half_pixel, (relu(x) + 0.001)^3)^(1/3), flattened channel-major [C,3,3], each map L2-normalised, then concatenated: stride 8 first'
