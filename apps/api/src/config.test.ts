import { expect, test } from 'vitest'
import { findConflicts } from './config.ts'

test('anything but loopback needs an API key', () => {
  for (const HOST of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '127.0.0.1.example.com']) {
    expect(findConflicts({ HOST, IMPORT_ROOTS: [] })).toEqual([
      expect.stringMatching(/^API_KEY: is required/)
    ])
    expect(findConflicts({ HOST, API_KEY: 'x'.repeat(16), IMPORT_ROOTS: [] })).toEqual([])
  }
  for (const HOST of ['127.0.0.1', 'localhost', '::1'])
    expect(findConflicts({ HOST, IMPORT_ROOTS: [] })).toEqual([])
})

test('import roots are absolute', () => {
  expect(findConflicts({ HOST: 'localhost', IMPORT_ROOTS: ['/data', 'data'] })).toEqual([
    'IMPORT_ROOTS: data is not an absolute path'
  ])
})
