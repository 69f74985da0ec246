// A subscription to hints over pub/sub, and whether they can be trusted: from the answer to a
// SUBSCRIBE and a PING of this connection on, until the connection ends or a PING stays without an
// answer. SUBSCRIBE is sent once a connection is ready, again on each one, and again after it failed.
// Sent earlier, it makes the client refuse its own commands for the check of a new connection.

export interface Subscription {
  isTrusted(): boolean
  /** Called at each change. Hints were lost before trust begins, so everything is read once then. */
  onChange(listener: (isTrusted: boolean) => void): void
  stop(): void
}

export interface SubscribedRedis {
  readonly status: string
  ping(): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  on(event: 'ready' | 'close', listener: () => void): unknown
}

const askEveryMs = 1_000
const answerWithinMs = 2_000

/** Nothing else may subscribe on this connection. */
export function subscribeTo(redis: SubscribedRedis, channels: readonly string[]): Subscription {
  const listeners: ((isTrusted: boolean) => void)[] = []
  let isTrusted = false
  /** Grows with each connection: an answer that comes after its connection proves nothing. */
  let connection = 0
  let isAsking = false
  let isSubscribed = false

  async function answer(): Promise<void> {
    const asked = connection
    if (!isSubscribed) {
      await redis.subscribe(...channels)
      if (asked === connection) isSubscribed = true
    }
    await redis.ping()
  }

  function set(now: boolean): void {
    if (now === isTrusted) return
    isTrusted = now
    for (const listener of listeners) listener(now)
  }

  function ask(): void {
    if (isAsking || redis.status !== 'ready') return
    isAsking = true
    const asked = connection
    // Where this process stood still itself, the answer lies in the socket. It is read before the
    // immediate runs.
    const late = setTimeout(
      () =>
        setImmediate(() => {
          if (isAsking && asked === connection) set(false)
        }),
      answerWithinMs
    )
    void answer()
      .then(
        () => true,
        () => false
      )
      .then((answered) => {
        clearTimeout(late)
        if (asked !== connection) return
        isAsking = false
        set(answered)
      })
  }

  function begin(): void {
    connection++
    isAsking = false
    isSubscribed = false
  }

  redis.on('ready', () => {
    begin()
    ask()
  })
  redis.on('close', () => {
    begin()
    set(false)
  })
  ask()
  const timer = setInterval(ask, askEveryMs)
  timer.unref()
  return {
    isTrusted: () => isTrusted,
    onChange: (listener) => void listeners.push(listener),
    stop: () => clearInterval(timer)
  }
}
