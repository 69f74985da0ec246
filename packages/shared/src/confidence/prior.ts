// What is known of a model before a gallery is: weights of the evidence, learned from photographs of
// groceries, vehicles, logos and other things that were asked of galleries of each kind.

export interface Prior {
  /** Name of the model and its version; other: any model. */
  name: string
  /** Weights of [8 margin, 8 gap, share, 1]. */
  weights: readonly [number, number, number, number]
  /**
   * Whether margin and gap are in the units of the model's scores. Otherwise they are in units of ten
   * times the mean margin of strangers, which a gallery tells.
   */
  isPlain: boolean
}

const shipped: readonly Prior[] = [
  { name: 'likeness-nano@0.3.1', weights: [1.22, 1.35, 1.5, -1.73], isPlain: true }
]
/** Of any model, also an unknown one. */
export const priorOfAny: Prior = {
  name: 'other',
  weights: [1.02, 0.89, 1.74, -1.56],
  isPlain: false
}

/** `embedding`: its version, model@version/profile@version. A learned profile has its own scale. */
export function priorOf(embedding: string): Prior {
  const [model, profile = ''] = embedding.split('/')
  const known = shipped.find(({ name }) => name === model)
  return known !== undefined && profile.startsWith('general@') ? known : priorOfAny
}
