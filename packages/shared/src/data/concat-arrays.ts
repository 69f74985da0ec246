// Joins rows that come in parts into one array.

/** Returns all parts one after another, in an array of the given kind. */
export function concatArrays<A extends Float32Array | Uint16Array>(
  Kind: new (length: number) => A,
  parts: readonly A[]
): A {
  const all = new Kind(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
