// Virtual time: events happen one after another in the order of their times. All microtasks of an
// event end before the next event.

interface Event {
  atMs: number
  /** Order of arrival, which decides between equal times. */
  order: number
  run: () => void
}

const before = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

export class Scheduler {
  nowMs = 1_800_000_000_000
  /** Number of events until now. */
  count = 0
  private order = 0
  private readonly heap: Event[] = []

  at(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.order++, run }
    let i = this.heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(this.heap[parent]!, event)) break
      this.heap[i] = this.heap[parent]!
      i = parent
    }
    this.heap[i] = event
  }

  /** Runs events until `isOver`. Returns false when no event is left. */
  async run(isOver: () => boolean): Promise<boolean> {
    while (!isOver()) {
      const event = this.pop()
      if (event === undefined) return false
      this.nowMs = event.atMs
      this.count++
      event.run()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    return true
  }

  private pop(): Event | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
    return first
  }
}
