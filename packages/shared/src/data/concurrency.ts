// A map over a stream with bounded concurrency that keeps the order of the stream.

/** Results in the order of the source, at most `limit` in the making. Settles only after every started task has. */
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
      // Awaited below, in turn; until then a failure is not unhandled.
      started.catch(() => {})
      window.push(started)
      if (window.length >= limit) yield await window.shift()!
    }
    while (window.length > 0) yield await window.shift()!
  } finally {
    await Promise.allSettled(window)
  }
}
