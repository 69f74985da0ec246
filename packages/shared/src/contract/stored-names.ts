// Fields whose name in the code is newer than their name in the store, in Redis and over HTTP. The
// old name stays there.

/** `collectionId` is stored as `incarnation`, its name when the first collections were written. */
export const toStored = <T extends { collectionId: string }>({
  collectionId,
  ...rest
}: T): Omit<T, 'collectionId'> & { incarnation: string } => ({ incarnation: collectionId, ...rest })

export const fromStored = <T extends { incarnation: string }>({
  incarnation,
  ...rest
}: T): Omit<T, 'incarnation'> & { collectionId: string } => ({ collectionId: incarnation, ...rest })
