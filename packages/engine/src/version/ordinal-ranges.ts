// Done ordinals of an ingestion, as sorted disjoint ranges; `0-99,105` as text in manifests. They
// are ordinals, never batch names, so an item embedded twice, in a chunk and in half of that chunk,
// counts once.

export class OrdinalRanges {
  /** first, last, first, last, ... ascending, with gaps of at least one between ranges. */
  private bounds: number[] = []
  private total = 0

  static parse(text: string): OrdinalRanges {
    const ranges = new OrdinalRanges()
    for (const part of text === '' ? [] : text.split(',')) {
      const [first, last] = part.split('-').map(Number)
      if (first === undefined || !Number.isSafeInteger(first))
        throw new Error(`bad ordinal range ${part}`)
      ranges.bounds.push(first, last ?? first)
      ranges.total += (last ?? first) - first + 1
    }
    return ranges
  }

  /** Returns the ordinals of [0, total) that are not there. */
  complement(total: number): OrdinalRanges {
    const others = new OrdinalRanges()
    let first = 0
    const addUpTo = (end: number): void => {
      if (end <= first) return
      others.bounds.push(first, end - 1)
      others.total += end - first
    }
    for (let at = 0; at < this.bounds.length && first < total; at += 2) {
      addUpTo(Math.min(this.bounds[at]!, total))
      first = this.bounds[at + 1]! + 1
    }
    addUpTo(total)
    return others
  }

  /** Adds all ordinals of another set. */
  addAll({ bounds }: OrdinalRanges): void {
    for (let at = 0; at < bounds.length; at += 2)
      for (let ordinal = bounds[at]!; ordinal <= bounds[at + 1]!; ordinal++) this.add(ordinal)
  }

  get count(): number {
    return this.total
  }

  /** Returns the index of the first range whose last ordinal is >= `ordinal`. */
  private rangeAt(ordinal: number): number {
    let low = 0
    let high = this.bounds.length >> 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.bounds[2 * middle + 1]! < ordinal) low = middle + 1
      else high = middle
    }
    return low
  }

  has(ordinal: number): boolean {
    const at = 2 * this.rangeAt(ordinal)
    return at < this.bounds.length && this.bounds[at]! <= ordinal
  }

  /** Returns false when the ordinal was already there. */
  add(ordinal: number): boolean {
    const at = 2 * this.rangeAt(ordinal)
    if (at < this.bounds.length && this.bounds[at]! <= ordinal) return false
    const joinsLeft = at > 0 && this.bounds[at - 1]! === ordinal - 1
    const joinsRight = at < this.bounds.length && this.bounds[at]! === ordinal + 1
    if (joinsLeft && joinsRight) this.bounds.splice(at - 1, 2)
    else if (joinsLeft) this.bounds[at - 1] = ordinal
    else if (joinsRight) this.bounds[at] = ordinal
    else this.bounds.splice(at, 0, ordinal, ordinal)
    this.total++
    return true
  }

  /** Returns the number of ordinals of [first, first + length) that are there. */
  countWithin(first: number, length: number): number {
    const end = first + length - 1
    let count = 0
    for (
      let at = 2 * this.rangeAt(first);
      at < this.bounds.length && this.bounds[at]! <= end;
      at += 2
    ) {
      count += Math.min(this.bounds[at + 1]!, end) - Math.max(this.bounds[at]!, first) + 1
    }
    return count
  }

  toString(): string {
    const parts: string[] = []
    for (let at = 0; at < this.bounds.length; at += 2) {
      const first = this.bounds[at]!
      const last = this.bounds[at + 1]!
      parts.push(first === last ? String(first) : `${first}-${last}`)
    }
    return parts.join(',')
  }
}
