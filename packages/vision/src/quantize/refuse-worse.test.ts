import { expect, it } from 'vitest'
import { type Outcome, refuseWorse } from './refuse-worse.ts'

const share = (found: number, boxes = 1000) => ({ boxes, found, share: found / boxes })
const outcome = ({
  kept = share(995),
  reverse = share(995),
  recall = {},
  ms = {}
}: {
  kept?: ReturnType<typeof share>
  reverse?: ReturnType<typeof share>
  recall?: Partial<Outcome['recall']>
  ms?: Partial<Outcome['ms']>
} = {}): Outcome => ({
  ms: { float: 20, int8: 10, ...ms },
  detections: {
    pictures: 100,
    kept,
    reverse,
    keptAtThreshold: share(900),
    reverseAtThreshold: share(900)
  },
  recall: { references: 100, queries: 500, float: 0.65, int8: 0.645, int8InFloat: 0.64, ...recall }
})
const refusal = (one: Outcome): { code?: string; message: string } | undefined => {
  try {
    refuseWorse(one)
    return undefined
  } catch (error) {
    return error as { code: string; message: string }
  }
}

it('keeps a model that loses a point at most and is faster', () => {
  expect(refusal(outcome())).toBeUndefined()
  expect(
    refusal(outcome({ kept: share(990), reverse: share(990), recall: { int8: 0.64 } }))
  ).toBeUndefined()
})

it('refuses by a code, with both figures', () => {
  expect(refusal(outcome({ kept: share(989) }))).toMatchObject({
    code: 'quality_lost',
    message: expect.stringMatching(/98\.9 %.*99\.5 %/) as string
  })
  expect(refusal(outcome({ reverse: share(989) }))).toMatchObject({
    code: 'quality_lost',
    message: expect.stringMatching(/99\.5 %.*98\.9 %/) as string
  })
  expect(refusal(outcome({ recall: { int8: 0.639 } }))).toMatchObject({
    code: 'quality_lost',
    message: expect.stringMatching(/65\.0 % in float, 63\.9 % in int8/) as string
  })
  expect(refusal(outcome({ ms: { int8: 20 } }))).toMatchObject({
    code: 'not_faster',
    message: expect.stringMatching(/20 ms .* 20 ms/) as string
  })
})

it('does not judge by a handful of boxes', () => {
  expect(refusal(outcome({ kept: share(49, 49) }))).toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('49 boxes') as string
  })
})
