import { expect, test } from 'vitest'
import { createUlid } from '../data/ulid.ts'
import { collectionKeys, ingestionOfImage } from './keys.ts'

const keys = collectionKeys(createUlid())
const nameOf = (key: string): string => key.slice(keys.imagePrefix.length)

test('pictures lie in folders by time, and those of a large import in folders of 1024', () => {
  const ingestion = createUlid(1_700_000_000_000)
  const folder = ingestion.slice(0, 7)
  expect([0, 1_023, 1_024, 5_000].map((n) => nameOf(keys.image(ingestion, n)))).toEqual([
    `${folder}/${ingestion}-0`,
    `${folder}/${ingestion}-1023`,
    `${folder}/${ingestion}+1/1024`,
    `${folder}/${ingestion}+4/5000`
  ])
})

test('the ingestion of a picture is told by its name, in a folder or not', () => {
  const ingestion = createUlid()
  for (const n of [0, 1_024])
    expect(ingestionOfImage(nameOf(keys.image(ingestion, n)))).toBe(ingestion)
  expect(ingestionOfImage(`${ingestion}-7`)).toBe(ingestion)
  for (const name of ['x-0', `0000000/${ingestion}-0`, `${ingestion}`, ''])
    expect(ingestionOfImage(name)).toBeUndefined()
})

test('the prefixes of an ingestion hold its pictures, and no others', () => {
  const [one, other] = [createUlid(), createUlid()]
  const isOf = (key: string) => keys.imagePrefixes(one).some((prefix) => key.startsWith(prefix))
  const former = `${keys.imagePrefix}${one}-3`
  expect([keys.image(one, 0), keys.image(one, 9_999), former].map(isOf)).toEqual([true, true, true])
  expect([keys.image(other, 0), `${keys.imagePrefix}${other}-3`].map(isOf)).toEqual([false, false])
})
