import { expect, test } from 'vitest'
import { chunkRoute, queueName, routesOf } from './work.ts'

test('chunks of an embedding go to workers that were started with it, those of a learned profile to all of its model', () => {
  expect(chunkRoute('nano@0.1.0/general@1')).toBe('nano@0.1.0/general@1')
  expect(chunkRoute('nano@0.1.0/cars@0123456789abcdef')).toBe('nano@0.1.0')
  expect(chunkRoute('elsewhere')).toBe('elsewhere')
  expect(routesOf('nano@0.1.0/general@1')).toEqual(['nano@0.1.0/general@1', 'nano@0.1.0'])
  expect(routesOf('elsewhere')).toEqual(['elsewhere'])
  for (const other of [
    'nano@0.2.0/general@1',
    'nano@0.1.0/other@1',
    'nano@0.2.0/cars@0123456789abcdef'
  ])
    expect(routesOf('nano@0.1.0/general@1')).not.toContain(chunkRoute(other))
})

test('whatever an embedding is called, BullMQ takes the name of its queue', () => {
  expect(queueName('bulk', 'nano@0.1.0/general@1')).toBe('embed-bulk-nano@0.1.0/general@1')
  expect(queueName('small', 'a:b {c}')).toBe('embed-small-a_b__c_')
  // No queue of a program before 0.4 is this one.
  expect(queueName('inline', 'a:b {c}')).toBe('embed2-small-a_b__c_')
})
