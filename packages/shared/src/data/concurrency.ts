// Maps a stream with bounded concurrency and keeps the order of the stream.

/**
 * Yields results in the order of the source, with at most `limit` tasks running. Ends only after
 * every started task has ended.
 */
export async function* mapInOrder<T, R>(
  source: AsyncIterable<T> | Iterable<T>,
  limit: number,
  task: (item: T, index: number) => Promise<R>
): AsyncGenerator<R> {
  const window: Promise<R>[] = []
  let index = 0
  try {
    for await (const item of source) {
      const started = task(item, index++)
      // The promise is awaited below, in turn. This handler keeps an early failure from being
      // reported as unhandled.
      started.catch(() => {})
      window.push(started)
      if (window.length >= limit) yield await window.shift()!
    }
    while (window.length > 0) yield await window.shift()!
  } finally {
    await Promise.allSettled(window)
  }
}
