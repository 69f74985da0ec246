import { expect, test } from 'vitest'
import { meaningsOf, whyOutside } from './picture-path.ts'

test.each([
  ['0/0.jpg', '0/0.jpg'],
  ['./0/0.jpg', '0/0.jpg'],
  ['0//0.jpg', '0/0.jpg'],
  ['././/0/./0.jpg', '0/0.jpg'],
  ['a/../0/0.jpg', '0/0.jpg'],
  [' a b.jpg ', ' a b.jpg '],
  ['...', '...'],
  ['.', '']
])('%j is %j', (written, path) => {
  expect(meaningsOf(written)).toEqual([path])
})

test.each([
  '../0.jpg',
  'a/../../0.jpg',
  '/0.jpg',
  '..\\0.jpg',
  'C:\\pictures\\0.jpg',
  'c:/pictures/0.jpg'
])('%j leads out', (written) => {
  expect(meaningsOf(written)).toEqual([])
})

test('an absolute path inside one of the folders is taken relative to it', () => {
  const folders = ['/data/link/', '/data/real']
  expect(meaningsOf('/data/link/0/0.jpg', folders)).toEqual(['0/0.jpg'])
  expect(meaningsOf('/data//real/./0/0.jpg', folders)).toEqual(['0/0.jpg'])
  expect(meaningsOf('/data/real', folders)).toEqual([''])
  expect(meaningsOf('/0/0.jpg', ['/'])).toEqual(['0/0.jpg'])
  for (const outside of ['/data/real2/0.jpg', '/data/real/../0.jpg', '/data/0.jpg', '/etc/passwd'])
    expect(meaningsOf(outside, folders)).toEqual([])
})

test('a backslash parts names or is part of one; accents are composed or not, also in mixed ways', () => {
  expect(meaningsOf('my folder\\a b.jpg')).toEqual(['my folder\\a b.jpg', 'my folder/a b.jpg'])
  const [nfc, nfd] = ['\u00e9', 'e\u0301']
  expect(meaningsOf(`${nfc}/${nfc}.jpg`)).toEqual([
    `${nfc}/${nfc}.jpg`,
    `${nfd}/${nfd}.jpg`,
    `${nfc}/${nfd}.jpg`,
    `${nfd}/${nfc}.jpg`
  ])
  expect(meaningsOf('\ud55c.jpg')).toContain('\ud55c.jpg'.normalize('NFD'))
  expect(meaningsOf('\u4e2d\u6587.jpg')).toEqual(['\u4e2d\u6587.jpg'])
})

test('the reason names the cause', () => {
  expect(whyOutside('C:\\a.jpg', 'image_root')).toBe(
    'C:\\a.jpg is an absolute path of Windows: write it relative to image_root'
  )
  expect(whyOutside('/a.jpg', 'image_root')).toBe('/a.jpg is not inside image_root')
})
