// Storage forms: how a sealed segment keeps its vectors. This is the only table of them in
// TypeScript; the native addon has its own in packages/faiss/native/index/storage_forms.h.

interface StorageForm {
  /** The text in settings is the key of the form; a number of parts follows where `hasParts`. */
  readonly hasParts?: boolean
  /** `dim`: values of a vector. `parts` divides `dim`, and is 0 for a form without parts. */
  bytesPerRow(dim: number, parts: number): number
  /**
   * Floats that training makes, shared by all segments of a collection. 0: the form needs no
   * training.
   */
  codebookFloats(dim: number): number
  /** Rows needed for training. Faiss trains no product quantizer on fewer than 256 rows. */
  readonly leastRows?: number
  /** Whether stored rows are the given rows, bit for bit. */
  readonly isLossless?: boolean
}

export const storageForms = {
  f32: { bytesPerRow: (dim) => 4 * dim, codebookFloats: () => 0, isLossless: true },
  f16: { bytesPerRow: (dim) => 2 * dim, codebookFloats: () => 0 },
  /** A byte per value, between the smallest and the greatest value of each dimension. */
  sq8: { bytesPerRow: (dim) => dim, codebookFloats: (dim) => 2 * dim },
  /** Product quantizer: a byte per part, which names the nearest of 256 centroids of that part. */
  pq: {
    hasParts: true,
    bytesPerRow: (_dim, parts) => parts,
    codebookFloats: (dim) => 256 * dim,
    leastRows: 256
  }
} as const satisfies Record<string, StorageForm>

export type StorageFormName = keyof typeof storageForms
type WithParts = {
  [N in StorageFormName]: (typeof storageForms)[N] extends { hasParts: true } ? N : never
}[StorageFormName]
/**
 * `f32`, `f16`, `sq8` or `pq<m>`. Bytes per row: 4 x dim, 2 x dim, dim, or m, which divides dim.
 */
export type VectorStorage = Exclude<StorageFormName, WithParts> | `${WithParts}${number}`

export const storageFormNames = Object.keys(storageForms) as StorageFormName[]
const formTexts = storageFormNames.map((form) => {
  const { hasParts = false }: StorageForm = storageForms[form]
  return hasParts ? `${form}<m>` : form
})
/** Text for messages: `f32, f16, sq8 or pq<m>`. */
export const storageText = `${formTexts.slice(0, -1).join(', ')} or ${formTexts.at(-1)}`

/**
 * Returns the form and its number of parts (0 for a form without parts), or undefined for a text
 * that names no form.
 */
export function findStorageForm(
  storage: string
): { form: StorageFormName; parts: number } | undefined {
  const [, name, digits] = /^([a-z][a-z0-9]*?)([1-9]\d{0,4})?$/.exec(storage) ?? []
  for (const form of storageFormNames) {
    const { hasParts = false }: StorageForm = storageForms[form]
    if (!hasParts && storage === form) return { form, parts: 0 }
    if (hasParts && name === form && digits !== undefined) return { form, parts: Number(digits) }
  }
  return undefined
}

const formOf = (storage: VectorStorage): StorageForm => storageForms[findStorageForm(storage)!.form]

/** Whether the segments share a codebook that is trained. */
export const isQuantized = (storage: VectorStorage): boolean =>
  formOf(storage).codebookFloats(1) > 0
export const codebookFloats = (storage: VectorStorage, dim: number): number =>
  formOf(storage).codebookFloats(dim)
export const leastTrainingRows = (storage: VectorStorage): number => formOf(storage).leastRows ?? 0
/** Whether stored rows are the given rows, bit for bit. */
export const isLossless = (storage: VectorStorage): boolean => formOf(storage).isLossless === true
export function bytesPerRow(storage: VectorStorage, dim: number): number {
  const { form, parts } = findStorageForm(storage)!
  return storageForms[form].bytesPerRow(dim, parts)
}
/** Number of parts of a vector that are encoded separately; 1 for a form without parts. */
export const partsOf = (storage: VectorStorage): number => findStorageForm(storage)!.parts || 1
