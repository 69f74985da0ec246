import { expect, test } from 'vitest'
import { calibrationSchema, confidenceOf } from './calibration.ts'
import { learnCalibration, type Probe } from './learn-calibration.ts'
import { priorOf } from './prior.ts'

const gallery = { embedding: 'm@1/general@1', parts: [], items: 200, createdAtMs: 1, labels: 100 }

/** Numbers from 0 to 1 that look random, the same each time. */
function randoms(seed: number): () => number {
  let state = seed
  return () => {
    state = (1_664_525 * state + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Probes of which a part is right, with margins of their own. */
function probes(count: number, { right, wrong, rightPart }: Record<string, number>): Probe[] {
  const random = randoms(7)
  return Array.from({ length: count }, (_, i) => {
    const isRight = random() < rightPart!
    const margin = (isRight ? right! : wrong!) * (0.5 + random())
    return {
      label: `l${i % 100}`,
      known: { evidence: [margin, margin / 2, isRight ? 0 : -0.5], isRight },
      stranger: [wrong! * (0.5 + random()), (wrong! * random()) / 2, -0.5]
    }
  })
}

test('a gallery whose pictures are told apart more easily than others moves the prior', () => {
  const learned = learnCalibration(
    probes(100, { right: 0.12, wrong: 0.02, rightPart: 0.95 }),
    gallery
  )
  expect(learned.kind).toBe('learned')
  expect(learned.probes).toEqual({ known: 100, strangers: 100 })
  expect(learned.ece!).toBeLessThan(0.2)
  expect(learned.reliability).toHaveLength(10)
  expect(learned.curve[0]).toEqual({ confidence: 0, falseAccept: 1, falseReject: 0 })
  const prior = { weights: [...priorOf(gallery.embedding).weights], scale: learned.scale }
  const asStranger = [0.02, 0.01, -0.5] as const
  expect(confidenceOf(asStranger, learned)!).toBeLessThan(confidenceOf(asStranger, prior)!)
  expect(confidenceOf([0.12, 0.06, 0], learned)).toBe(0.99)
  expect(calibrationSchema.parse(learned)).toEqual(learned)
})

test('the margin of strangers is the unit of a model that is not known', () => {
  const one = learnCalibration(probes(100, { right: 0.12, wrong: 0.02, rightPart: 0.8 }), gallery)
  const large = learnCalibration(probes(100, { right: 120, wrong: 20, rightPart: 0.8 }), gallery)
  expect(large.scale! / one.scale!).toBeCloseTo(1000)
  expect(confidenceOf([90, 30, 0], large)).toBeCloseTo(confidenceOf([0.09, 0.03, 0], one)!, 3)
})

test('too few pictures leave the prior, marked as such, with its scale', () => {
  const few = learnCalibration(probes(5, { right: 0.12, wrong: 0.02, rightPart: 1 }), gallery)
  expect(few).toMatchObject({ kind: 'prior', ece: null, reliability: [], curve: [] })
  expect(few.scale).toBeGreaterThan(0)
  const alone = probes(50, { right: 0.12, wrong: 0.02, rightPart: 1 }).map((probe) => ({
    ...probe,
    known: undefined
  }))
  expect(learnCalibration(alone, gallery)).toMatchObject({
    kind: 'prior',
    probes: { known: 0, strangers: 50 }
  })
})

test('where no label has a second picture, the margin of strangers is the unit of a known model too', () => {
  const known = { ...gallery, labels: 100, embedding: 'likeness-nano@0.3.1/general@1' }
  const pairs = probes(100, { right: 0.12, wrong: 0.02, rightPart: 1 })
  expect(learnCalibration(pairs, known)).toMatchObject({ scale: 1 })
  const alone = pairs.map((probe) => ({ ...probe, known: undefined }))
  const learned = learnCalibration(alone, known)
  expect(learned).toMatchObject({ kind: 'prior', prior: 'other' })
  expect(learned.scale).not.toBe(1)
  expect(learnCalibration(alone.slice(0, 99), known)).toMatchObject({ scale: 1 })
  expect(learnCalibration(alone, { ...known, labels: 99 })).toMatchObject({ scale: 1 })
})

test('with fewer than five labels there is no scale, and nothing is said', () => {
  const learned = learnCalibration(probes(30, { right: 0.1, wrong: 0.02, rightPart: 1 }), {
    ...gallery,
    labels: 4
  })
  expect(learned).toMatchObject({ kind: 'prior', scale: null })
  expect(confidenceOf([0.5, 0.5, 0], learned)).toBeNull()
})

test('a gallery that could not be read leaves the prior of a known model as it is', () => {
  const unread = { ...gallery, embedding: 'likeness-nano@0.3.1/general@1', labels: 0 }
  expect(learnCalibration([], unread)).toMatchObject({ kind: 'prior', scale: 1 })
  expect(learnCalibration([], { ...unread, embedding: 'm@1/general@1' }).scale).toBeNull()
})

test('what held-out labels do not confirm is not kept', () => {
  // The prior says .32, which is the part that is right. Each label contradicts the others, so what
  // four teach is wrong of the fifth.
  const evidence = [0.1, 0, 0] as const
  const contrary = Array.from({ length: 100 }, (_, i): Probe => {
    const isRight = i % 5 < 2
    return { label: `l${i % 5}`, known: { evidence, isRight }, stranger: evidence }
  })
  const learned = learnCalibration(contrary, { ...gallery, labels: 5 })
  expect(learned).toMatchObject({ kind: 'prior', scale: expect.closeTo(1) })
  expect(learned.weights).toEqual([...priorOf(gallery.embedding).weights])
  expect(learned.ece!).toBeLessThan(0.01)
  expect(learned.curve).toHaveLength(21)
})
