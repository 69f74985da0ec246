// Draws values that are right in form and odd in content: the borders of each type, and what
// programs of others send.
import { seededRandom } from '@likeness/shared/data/random'

export interface Draw {
  /** A number in [0, 1). */
  chance(): number
  below(limit: number): number
  pick<T>(values: readonly T[]): T
  text(): string
  number(): number
  scalar(): string | number | boolean | null
  metadata(): unknown
  /** Of the form of a filter, sometimes far too deep or too wide. */
  filter(): unknown
  /** The same value with one part removed, replaced or repeated. */
  mutate(value: unknown): unknown
}

const texts = [
  '',
  'a',
  'item-1',
  'item-2',
  '../x',
  './0//0.jpg',
  '__proto__',
  'constructor',
  'é',
  'e\u0301',
  '\ud800',
  '\u0000',
  '\u202e',
  ' ',
  '🦊',
  '%00',
  '{"a":1}',
  'x'.repeat(1_024),
  'x'.repeat(1_025),
  'x'.repeat(5_000)
]
const numbers = [
  0,
  -0,
  1,
  -1,
  0.1,
  1e-308,
  1.5e300,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53 + 2,
  1e19,
  -1e19,
  10_000,
  10_001
]

export function drawFrom(seed: number): Draw {
  const chance = seededRandom(seed)
  const below = (limit: number): number => Math.floor(chance() * limit)
  const pick = <T>(values: readonly T[]): T => values[below(values.length)]!
  const text = () => pick(texts)
  const number = () => pick(numbers)
  const scalar = () => pick([text, number, () => true, () => false, () => null])()
  const draw: Draw = {
    chance,
    below,
    pick,
    text,
    number,
    scalar,
    metadata: () =>
      fromEntries(Array.from({ length: pick([0, 1, 2, 5, 300]) }, () => [text(), scalar()])),
    filter: () => {
      const kind = below(10)
      if (kind === 0) return nested(pick([15, 16, 17, 64, 500, 3_000]), { label: 'a' })
      if (kind === 1)
        return { any: Array.from({ length: pick([1, 100, 101, 600]) }, () => condition(draw, 0)) }
      return filterOf(draw, 0)
    },
    mutate: (value) => mutate(draw, value)
  }
  return draw
}

/** Own properties only: `__proto__` becomes a key, as JSON.parse makes it. */
const fromEntries = (entries: readonly (readonly [string, unknown])[]): unknown =>
  JSON.parse(
    `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value) ?? 'null'}`).join(',')}}`
  )

function nested(levels: number, inside: unknown): unknown {
  let filter = inside
  for (let level = 0; level < levels; level++)
    filter = level % 3 === 0 ? { any: [filter] } : { not: filter }
  return filter
}

function condition(draw: Draw, depth: number): unknown {
  const forms = [
    draw.scalar,
    () => ({ in: Array.from({ length: draw.pick([0, 1, 3, 10_001]) }, draw.scalar) }),
    () => ({ [draw.pick(['gt', 'gte', 'lt', 'lte', 'eq'])]: draw.scalar() }),
    () => ({ exists: draw.scalar() }),
    () => (depth > 3 ? draw.scalar() : { not: condition(draw, depth + 1) })
  ]
  return draw.pick(forms)()
}

function filterOf(draw: Draw, depth: number): unknown {
  const parts: Record<string, unknown> = {}
  if (draw.chance() < 0.6) parts.label = condition(draw, 0)
  if (draw.chance() < 0.5) parts.metadata = fromEntries([[draw.text(), condition(draw, 0)]])
  if (depth < 3 && draw.chance() < 0.4)
    parts.any = Array.from({ length: draw.below(4) }, () => filterOf(draw, depth + 1))
  if (depth < 3 && draw.chance() < 0.3) parts.not = filterOf(draw, depth + 1)
  return parts
}

function mutate(draw: Draw, value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = [...(value as unknown[])]
    const at = draw.below(list.length + 1)
    return draw.pick([
      () => list.toSpliced(at, 1),
      () => list.toSpliced(at, 0, draw.scalar()),
      () => (at < list.length ? list.with(at, mutate(draw, list[at])) : [...list, ...list]),
      () => draw.scalar()
    ])()
  }
  if (typeof value !== 'object' || value === null)
    return draw.pick([draw.scalar, () => [value], () => ({ a: value }), () => undefined])()
  const entries = Object.entries(value)
  if (entries.length === 0) return { [draw.text()]: draw.scalar() }
  const [key, inside] = draw.pick(entries)
  return draw.pick<() => unknown>([
    () => Object.fromEntries(entries.filter(([name]) => name !== key)),
    () => ({ ...value, [key]: mutate(draw, inside) }),
    () => ({ ...value, [key]: draw.scalar() })
  ])()
}
