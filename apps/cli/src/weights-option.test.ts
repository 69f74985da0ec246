import { expect, test } from 'vitest'
import { UserError } from './user-error.ts'
import { formatWeights, weightsOverride } from './weights-option.ts'

test('weights of the command line are a value of the yaml', () => {
  expect(weightsOverride('kind=0.5, instance=1')).toEqual([
    'Likeness.weights={"kind":0.5,"instance":1}'
  ])
  expect(weightsOverride(undefined)).toEqual([])
  expect(formatWeights({ kind: 0.5, instance: 1 })).toBe('kind=0.5,instance=1')
})

test('another form, and a weight that none can be, is refused with what was written', () => {
  for (const wrong of ['kind', 'kind=', '=1', 'kind=much', 'kind=-1', 'kind=101', 'Kind=1', ''])
    expect(() => weightsOverride(wrong), wrong).toThrow(UserError)
  expect(() => weightsOverride('kind:1')).toThrow(/--weights kind:1: write PART=NUMBER/)
})
