import { expect, test } from 'vitest'
import { ConfigError, readSettings } from './config.ts'

test('a bad environment names every problem at once', () => {
  const read = () =>
    readSettings({ OBJECT_STORE: 'ftp://x', PORT: '99999', API_KEY: 'short' }, [
      'OBJECT_STORE',
      'PORT',
      'API_KEY',
      'REDIS_URL',
      'HOST'
    ])
  expect(read).toThrow(ConfigError)
  expect(read).toThrow(/OBJECT_STORE: .*\n.*PORT: .*\n.*API_KEY: .*\n.*REDIS_URL: is required/)
})

test('what is not set has its default, an empty value counts as not set, lists are split', () => {
  expect(
    readSettings({ PORT: '', IMPORT_ROOTS: ' /a, /b ,' }, [
      'PORT',
      'HOST',
      'IMPORT_ROOTS',
      'API_KEY'
    ])
  ).toEqual({ PORT: 8080, HOST: '127.0.0.1', IMPORT_ROOTS: ['/a', '/b'], API_KEY: undefined })
})
