import { expect, test } from 'vitest'
import { cameraOf } from './camera-of.ts'

test('a camera is read from a file name, and only from what looks like one', () => {
  expect(
    ['train/bus_0001_cam1.jpg', '0002_c003_00084250_0.jpg', 'cam12-3.png', 'a/c1_x.jpg'].map(
      cameraOf
    )
  ).toEqual(['cam1', 'c003', 'cam12', 'c1'])
  expect(
    ['images/camel_1.jpg', 'music4.jpg', 'abc12.jpg', 'camera.jpg', '2403695909.jpg'].map(cameraOf)
  ).toEqual(Array(5).fill(undefined))
})
