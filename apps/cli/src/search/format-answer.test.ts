import { expect, test } from 'vitest'
import { verdictOf } from '@likeness/shared/confidence/calibration'
import type { HitAnswer, SearchAnswer } from '@likeness/shared/contract/http/search'
import { formatAnswer, jsonAnswer } from './format-answer.ts'
import { searchOptionsOf } from './search-picture.ts'

const hit = (id: string, label: string, score: number): HitAnswer => ({
  id,
  label,
  score,
  confidence: score,
  metadata: {},
  distance: score,
  metric: 'IP',
  box: [0, 0, 9, 9],
  image: '',
  thumbnail: ''
})
const object = (
  kind: 'subject' | 'whole',
  box: [number, number, number, number],
  hits: HitAnswer[]
): SearchAnswer['objects'][number] => ({
  kind,
  box,
  class: kind === 'subject' ? 'item' : null,
  detector_score: kind === 'subject' ? 0.91 : null,
  verdict: hits.length === 0 ? 'unknown' : verdictOf(hits[0]!.confidence),
  hits
})
const answer = (objects: SearchAnswer['objects']): SearchAnswer => ({
  collection: 'c',
  index_seq: 1,
  verdict: objects[0]?.verdict ?? 'unknown',
  objects,
  hits: objects.flatMap(({ hits }) => hits),
  picture: { width: 640, height: 480 },
  took_ms: { embed: 1, search: 1, total: 2 }
})

test('each subject is shown with its box, and its hits with label, score and file', () => {
  const text = formatAnswer(
    'q.jpg',
    answer([
      object(
        'subject',
        [10.4, 20, 200, 300],
        [hit('a/1.jpg', 'red tea', 0.91234), hit('b.jpg', 'tea', 0.8)]
      ),
      object('whole', [0, 0, 640, 480], [])
    ])
  )
  expect(text.split('\n')).toEqual([
    'q.jpg (640 x 480)',
    '  [10 20 200 300] item 0.91: match, 91 % sure',
    '    red tea  0.9123   91 %  a/1.jpg',
    '    tea      0.8000   80 %  b.jpg'
  ])
})

test('what nothing matches is unknown: each subject, or the whole picture when there is none', () => {
  expect(
    formatAnswer(
      'q',
      answer([object('subject', [1, 2, 3, 4], []), object('whole', [0, 0, 9, 9], [])])
    ).split('\n')
  ).toEqual(['q (640 x 480)', '  [1 2 3 4] item 0.91: unknown'])
  expect(formatAnswer('q', answer([object('whole', [0, 0, 9, 9], [])])).split('\n')[1]).toBe(
    '  whole picture: unknown'
  )
  expect(jsonAnswer('q', answer([object('whole', [0, 0, 9, 9], [])]))).toMatchObject({
    objects: [{ label: 'unknown', score: null, hits: [] }]
  })
})

test('what is unlikely to be the thing is called unknown, with its hits; nothing is said where nothing is known', () => {
  const lines = (hits: HitAnswer[]) =>
    formatAnswer('q', answer([object('whole', [0, 0, 9, 9], hits)]))
      .split('\n')
      .slice(1)
  expect(lines([hit('a.jpg', 'mug', 0.2)])).toEqual([
    '  whole picture: UNKNOWN, looks most like mug',
    '    mug  0.2000   20 %  a.jpg'
  ])
  expect(lines([hit('a.jpg', 'mug', 0.5)])[0]).toBe('  whole picture: unsure, 50 % sure')
  expect(lines([{ ...hit('a.jpg', 'mug', 0.5), confidence: null }])).toEqual([
    '  whole picture',
    '    mug  0.5000  a.jpg'
  ])
})

test('a label cannot write over the terminal', () => {
  expect(
    formatAnswer('q', answer([object('whole', [0, 0, 9, 9], [hit('a', '\u001b[2Jx', 1)])]))
  ).not.toContain('\u001b')
})

test('what the yaml says is what the API is asked', () => {
  const config = {
    collection: 'c',
    returnK: 3,
    scoreThres: 0.7,
    hammingRadius: undefined,
    searchBudget: undefined,
    detectorThreshold: 0.2,
    pictures: {
      subjects: 'main' as const,
      max_objects: 5,
      nms_iou: 0.05,
      tiles: [2],
      exclude_same: ['camera', 'site']
    }
  }
  expect(searchOptionsOf(config, { camera: 'cam1', other: 'x' })).toEqual({
    k: 3,
    score_thres: 0.7,
    detector_threshold: 0.2,
    max_objects: 5,
    nms_iou: 0.05,
    metadata: { camera: 'cam1', other: 'x' },
    tiles: [2],
    exclude_same: ['camera', 'site']
  })
  expect(searchOptionsOf({ ...config, pictures: {} })).not.toHaveProperty('exclude_same')
  expect(searchOptionsOf({ ...config, hammingRadius: 9, searchBudget: 20 })).toMatchObject({
    hamming_radius: 9,
    search_budget: 20
  })
  expect(searchOptionsOf({ ...config, scoreThres: undefined }).score_thres).toBeLessThan(-1e5)
})
