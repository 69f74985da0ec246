// Numbers terms in the order of their first occurrence, and counts them. A hash table in typed
// arrays, because a Map takes microseconds per term and there are very many terms.

const empty = -1
/** Largest share of places in use. */
const mostFull = 0.5

export class TermTable {
  private size = 1024
  /** Number of the term at each place; -1: free. */
  private places = new Int32Array(this.size).fill(empty)
  private terms = new Uint32Array(this.size * mostFull)
  private counts = new Uint32Array(this.size * mostFull)
  private used = 0

  /** Counts a term and returns its number. */
  add(term: number): number {
    const place = this.placeOf(term)
    const known = this.places[place]!
    if (known !== empty) {
      this.counts[known]!++
      return known
    }
    const number = this.used++
    this.places[place] = number
    this.terms[number] = term
    this.counts[number] = 1
    if (this.used === this.terms.length) this.grow()
    return number
  }

  private placeOf(term: number): number {
    const mask = this.size - 1
    let place = (Math.imul(term ^ (term >>> 15), 0x9e3779b1) >>> 7) & mask
    while (this.places[place] !== empty && this.terms[this.places[place]!] !== term)
      place = (place + 1) & mask
    return place
  }

  private grow(): void {
    this.size *= 2
    const [terms, counts] = [
      new Uint32Array(this.size * mostFull),
      new Uint32Array(this.size * mostFull)
    ]
    terms.set(this.terms)
    counts.set(this.counts)
    this.terms = terms
    this.counts = counts
    this.places = new Int32Array(this.size).fill(empty)
    for (let number = 0; number < this.used; number++)
      this.places[this.placeOf(terms[number]!)] = number
  }

  /** Returns the terms ascending, with the number and the count of each. */
  sorted(): { terms: Uint32Array; numbers: Uint32Array; counts: Uint32Array } {
    const numbers = Uint32Array.from({ length: this.used }, (_, number) => number).sort(
      (a, b) => this.terms[a]! - this.terms[b]!
    )
    return {
      terms: numbers.map((number) => this.terms[number]!),
      numbers,
      counts: numbers.map((number) => this.counts[number]!)
    }
  }
}
