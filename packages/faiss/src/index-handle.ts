// Handles of indexes inside the addon.

/** An index inside the addon; opaque. */
export type IndexHandle = { readonly __index: never }
export type IndexKind = 'flat' | 'hnsw' | 'ivf'
