import { expect, test } from 'vitest'
import { encodePayload, type ItemPayload } from './item-payload.ts'

test('a payload is the JSON of its fields, whatever is in them', () => {
  const row = { kind: 'whole' as const, box: [0, 0, 0, 0] as const, score: 1, className: null }
  const plain: ItemPayload = {
    id: 'a',
    label: null,
    metadata: {},
    imageKey: null,
    width: 0,
    height: 0,
    rows: [{ ...row, box: [...row.box] }]
  }
  const payloads: ItemPayload[] = [
    plain,
    { ...plain, id: '"\\\n\u2028ü\ud83d\ude00', label: '"', imageKey: 'c/"/\\' },
    { ...plain, metadata: { '"': '\\', n: -0, t: true, none: null, big: 1e21, small: 1e-7 } },
    { ...plain, width: 0.1, height: 1e21, rows: [] },
    {
      ...plain,
      rows: [
        { kind: 'subject', box: [-1.5, 1e-9, 3, -0], score: 0.123456789, className: 'a "b"' },
        { kind: 'view', box: [1, 2, 3, 4], score: 0, className: null }
      ],
      raws: { key: 'c/x/batch/"', at: 12, dim: 3, sum: 'ff' }
    }
  ]
  for (const payload of payloads)
    expect(encodePayload(payload).toString()).toBe(JSON.stringify(payload))
})
