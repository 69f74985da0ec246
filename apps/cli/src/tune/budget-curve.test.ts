// Tests the search for the least budget, with searches that are made up.
import { expect, test } from 'vitest'
import {
  askExactly,
  type BudgetSearch,
  findBudget,
  type MeasuredBudget,
  measureBudget
} from './budget-curve.ts'

const k = 10
/** Of ten items per query, a search finds as many as a third of its budget. Each takes 2 ms. */
function searches(count: number, msEach = 2) {
  const clock = { nowMs: 0 }
  const asked = { exact: 0, others: 0 }
  const search: BudgetSearch = {
    ids: Array.from({ length: count }, (_, n) => `item-${n}`),
    k,
    nowMs: () => clock.nowMs,
    search: async (_, budget) => {
      clock.nowMs += msEach
      if (budget === 'exact') asked.exact++
      else asked.others++
      const right = budget === 'exact' ? k : Math.min(k, Math.floor(budget / 3))
      return Array.from({ length: k }, (_, n) => ({
        id: `${n}`,
        score: n < right ? 0.9 - n / 100 : 0.1
      }))
    }
  }
  return { search, asked }
}
const at = (budget: number, recall: number): MeasuredBudget => ({
  budget,
  recall,
  msP50: 1,
  msP95: 2
})

test('recall is the part of the exact hits, and hits that are as near count as well', async () => {
  const { search } = searches(30)
  const exact = await askExactly(search)
  expect(exact).toMatchObject({ msP50: 2, msP95: 2 })
  expect(await measureBudget(search, exact, 15)).toEqual({
    budget: 15,
    recall: 0.5,
    msP50: 2,
    msP95: 2
  })
  expect((await measureBudget(search, exact, 60)).recall).toBe(1)
})

test('slow searches are asked for fewer queries, but never for fewer than twenty', async () => {
  const { search, asked } = searches(500, 10_000)
  const exact = await askExactly(search)
  expect(asked.exact).toBe(20)
  await measureBudget(search, exact, 5)
  expect(asked.others).toBe(20)
})

test('the least budget is found between two doublings, and a few more are measured', async () => {
  const tried: number[] = []
  const measure = async (budget: number) => {
    tried.push(budget)
    return at(budget, budget >= 87 ? 0.96 : 0.9)
  }
  const { least, points } = await findBudget(measure, { from: 10, most: 5_000, recall: 0.95 })
  expect(least!.budget).toBeGreaterThanOrEqual(87)
  expect(least!.budget).toBeLessThanOrEqual(92)
  expect(tried.slice(0, 5)).toEqual([10, 20, 40, 80, 160])
  expect(points.map(({ budget }) => budget)).toEqual([...tried].sort((a, b) => a - b))
  expect(points.at(-1)!.budget).toBe(640)
})

test('no budget above the greatest is tried, and none is the least where all are too few', async () => {
  const { least, points } = await findBudget(async (budget) => at(budget, 0.5), {
    from: 10,
    most: 100,
    recall: 0.95
  })
  expect(least).toBeUndefined()
  expect(points.map(({ budget }) => budget)).toEqual([10, 20, 40, 80, 100])
})

test('one step is enough where the first budget reaches it', async () => {
  const { least } = await findBudget(async (budget) => at(budget, 1), {
    from: 1,
    most: 1,
    recall: 0.95
  })
  expect(least).toMatchObject({ budget: 1 })
})
