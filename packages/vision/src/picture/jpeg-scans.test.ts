import sharp from 'sharp'
import { expect, test } from 'vitest'
import { noise } from '../fixture/odd-pictures.ts'
import { countScans } from './jpeg-scans.ts'

test('scans are those of the picture itself', async () => {
  const baseline = await noise().jpeg().toBuffer()
  const progressive = await noise(2).jpeg({ progressive: true }).toBuffer()
  expect(countScans(baseline)).toBe(1)
  const scans = countScans(progressive)
  expect(scans).toBeGreaterThan(5)
  expect(scans).toBeLessThan(20)
  const thumbnail = Buffer.concat([
    baseline.subarray(0, 2),
    Buffer.from([0xff, 0xe1, 0x20, 0x00]),
    Buffer.concat([progressive, Buffer.alloc(0x2000)]).subarray(0, 0x1ffe),
    baseline.subarray(2)
  ])
  expect(countScans(thumbnail)).toBe(1)
  expect((await sharp(thumbnail).metadata()).format).toBe('jpeg')
  expect(countScans(Buffer.concat([progressive, progressive]))).toBe(scans)
  expect(countScans(progressive.subarray(0, 700))).toBeLessThanOrEqual(scans)
  expect(countScans(Buffer.from([0xff, 0xd8, 0xff]))).toBe(0)
})
