// The addon's view of an index.

/** An index inside the addon; opaque. */
export type IndexHandle = { readonly __index: never }
export type IndexKind = 'flat' | 'hnsw' | 'ivf'
