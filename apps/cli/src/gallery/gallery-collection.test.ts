import { expect, test } from 'vitest'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { checkFits } from './gallery-collection.ts'

const embedding = (version: string) => ({ version, dim: 2, unit: true })
const check = (has: string, wants: string) => () =>
  checkFits(
    { name: 'marks', embedding: embedding(has) } as CollectionAnswer,
    { indexDir: './marks' } as GalleryConfig,
    embedding(wants)
  )
const [own, cars, bikes] = [
  'm@1/general@1',
  'm@1/cars@0123456789abcdef',
  'm@1/bikes@fedcba9876543210'
]

test('a collection with another projection is refused with what can be done: name its profile, apply the one that is named, or build anew', () => {
  expect(check(cars, own)).toThrow(
    `belongs to the embedding ${cars}, not to ${own}: the profile cars@0123456789abcdef below Likeness: takes it as it is; or build it anew with --force, or name another index_dir`
  )
  expect(check(own, bikes)).toThrow(
    '`likeness profile apply bikes@fedcba9876543210 --collection marks` changes it; or build it anew'
  )
  expect(check(cars, bikes)).toThrow('takes it as it is; `likeness profile apply bikes@')
  expect(check('other@2/own@1', cars)).toThrow(`not to ${cars}: build it anew with --force`)
})
