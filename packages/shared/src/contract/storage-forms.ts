// Storage forms: how a sealed segment keeps its vectors. The one table of them on this side of the addon;
// the other is packages/faiss/native/index/storage_forms.h.

interface StorageForm {
  /** Text of it in settings, followed by a number of parts where `hasParts`. */
  readonly name: string
  readonly hasParts?: boolean
  /** `dim` values; `parts` divides it, and is 0 without parts. */
  bytesPerRow(dim: number, parts: number): number
  /** Floats that training makes, shared by all segments of a collection; 0: there is nothing to train. */
  codebookFloats(dim: number): number
  /** Rows from which on it can be trained: Faiss trains no product quantizer on fewer than 256. */
  readonly leastRows?: number
  /** A vector that is encoded again loses nothing more. */
  readonly isLossless?: boolean
}

export const storageForms = {
  f32: { name: 'f32', bytesPerRow: (dim) => 4 * dim, codebookFloats: () => 0, isLossless: true },
  f16: { name: 'f16', bytesPerRow: (dim) => 2 * dim, codebookFloats: () => 0 },
  /** A byte a value, between the least and the greatest of each dimension. */
  sq8: { name: 'sq8', bytesPerRow: (dim) => dim, codebookFloats: (dim) => 2 * dim },
  /** Product quantizer: a byte a part, the nearest of 256 centroids of that part. */
  pq: {
    name: 'pq',
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
/** `f32`, `f16`, `sq8` or `pq<m>`: bytes a row are 4 x dim, 2 x dim, dim, or m, which divides dim. */
export type VectorStorage = Exclude<StorageFormName, WithParts> | `${WithParts}${number}`

export const storageFormNames = Object.keys(storageForms) as StorageFormName[]
/** For messages. */
export const storageText = 'f32, f16, sq8 or pq<m>'

/** The form and its parts (0 where it has none); undefined for a text that names none. */
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

/** Its segments share a codebook that is trained. */
export const isQuantized = (storage: VectorStorage): boolean =>
  formOf(storage).codebookFloats(1) > 0
export const codebookFloats = (storage: VectorStorage, dim: number): number =>
  formOf(storage).codebookFloats(dim)
export const leastTrainingRows = (storage: VectorStorage): number => formOf(storage).leastRows ?? 0
export const isLossless = (storage: VectorStorage): boolean => formOf(storage).isLossless === true
export function bytesPerRow(storage: VectorStorage, dim: number): number {
  const { form, parts } = findStorageForm(storage)!
  return storageForms[form].bytesPerRow(dim, parts)
}
/** Parts of a vector that are encoded apart; 1 where a vector is one. */
export const partsOf = (storage: VectorStorage): number => findStorageForm(storage)!.parts || 1
