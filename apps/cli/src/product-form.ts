import type { VectorStorage } from '@likeness/shared/contract/storage-forms'

/** Values of a part of a product quantizer, where the length of a vector allows it. */
const partValues = 8

/** The product quantizer whose parts are nearest to eight values. */
export function productForm(dim: number): VectorStorage {
  const wanted = Math.max(1, Math.round(dim / partValues))
  for (let away = 0; ; away++)
    for (const parts of [wanted - away, wanted + away])
      if (parts >= 1 && dim % parts === 0) return `pq${parts}`
}
