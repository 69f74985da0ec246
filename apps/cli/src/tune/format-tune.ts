// The tables and the line of --json of `likeness tune`.
import { formatTable } from '../format-table.ts'
import type { MeasuredBudget } from './budget-curve.ts'
import type { MethodFigures } from './try-methods.ts'

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
const share = (value: number): string => value.toFixed(4)

export const formatBudgets = (
  points: readonly MeasuredBudget[],
  least: MeasuredBudget | undefined
): string =>
  formatTable(
    ['budget', 'recall@10', 'p50, ms', 'p95, ms', ''],
    points.map((point) => [
      String(point.budget),
      share(point.recall),
      ms(point.msP50),
      ms(point.msP95),
      point.budget === least?.budget ? '<' : ''
    ])
  )

export const nameOf = ({
  method,
  metric,
  storage,
  rescore
}: Pick<MethodFigures, 'method' | 'metric' | 'storage' | 'rescore'>): string =>
  `${method} ${metric === 'hamming' ? 'bits' : storage}${rescore ? ' rescore' : ''}`

export const formatMethods = (figures: readonly MethodFigures[]): string =>
  formatTable(
    ['', 'budget', 'recall@10', 'p50, ms', 'p95, ms', 'cpu, ms', 'bytes a row', 'build, s', ''],
    figures.map((one) => [
      nameOf(one),
      String(one.budget ?? '-'),
      share(one.recall),
      ms(one.msP50),
      ms(one.msP95),
      one.cpuMs.toFixed(3),
      one.bytesARow.toFixed(0),
      one.buildS.toFixed(1),
      one.reached ? '' : 'never reaches it'
    ])
  )

const digits = 4
const rounded = <T extends object>(figures: T): T =>
  Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      name,
      typeof value === 'number' ? Number(value.toFixed(digits)) : value
    ])
  ) as T

export interface TuneResult {
  collection: string
  recall: number
  p95Ms: number | null
  /** Queries whose exact answer is known. */
  queries: number
  points: readonly MeasuredBudget[]
  exact: { msP50: number; msP95: number }
  /** null: every segment is exact, or no budget reaches it. */
  budget: number | null
  reached: boolean
  applied: boolean
  methods: readonly MethodFigures[]
}

export const formatTuneJson = ({ points, methods, exact, ...rest }: TuneResult): string =>
  JSON.stringify({
    ...rest,
    exact: rounded(exact),
    points: points.map(rounded),
    methods: methods.map(rounded)
  })
