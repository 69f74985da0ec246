// Whether hints over pub/sub can be trusted. A subscription is trusted from the first answer to a
// PING after its connection was made, because Redis answers in order: the channels are subscribed by
// then. The trust ends with the connection, or when a PING stays without an answer.

export interface Subscription {
  isTrusted(): boolean
  /** Called at each change. Hints were lost before trust begins, so everything is read once then. */
  onChange(listener: (isTrusted: boolean) => void): void
  stop(): void
}

export interface SubscribedRedis {
  readonly status: string
  ping(): Promise<unknown>
  on(event: 'ready' | 'close', listener: () => void): unknown
}

const askEveryMs = 1_000
const answerWithinMs = 2_000

/** Call this after the connection was told to subscribe: a subscription that is trusted has begun. */
export function watchSubscription(redis: SubscribedRedis): Subscription {
  const listeners: ((isTrusted: boolean) => void)[] = []
  let isTrusted = false
  /** Grows with each connection: an answer that comes after its connection proves nothing. */
  let connection = 0
  let isAsking = false

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
    void redis
      .ping()
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
