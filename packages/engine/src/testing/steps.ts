// Runs the store calls of several processes in random orders, for tests of interleavings.
import type { ObjectStore } from '@likeness/store/object-store'

/** Small generator of numbers in [0, 1), the same for a seed. */
export function randomOf(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

/** Runs the steps of several processes one at a time, in a random order. */
export class Steps {
  private waiting: (() => void)[] = []
  private readonly random: () => number
  constructor(random: () => number) {
    this.random = random
  }

  /** A store whose calls wait for their turn. `livesFor`: calls after which the process is dead. */
  storeOf(store: ObjectStore, livesFor: number): ObjectStore {
    let calls = 0
    const inTurn =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        new Promise<T>((resolve, reject) => {
          this.waiting.push(() => {
            // The last call of a process that dies may still have its effect.
            if (calls++ < livesFor) call(...args).then(resolve, reject)
            else if (calls === livesFor + 1 && this.random() < 0.5) void call(...args)
          })
        })
    return {
      ...store,
      get: inTurn(store.get),
      head: inTurn(store.head),
      put: inTurn(store.put),
      putIf: inTurn(store.putIf),
      delete: inTurn(store.delete)
    }
  }

  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.waiting.length === 0) return
      this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1)[0]!()
    }
  }
}
