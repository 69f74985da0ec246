import { expect, test } from 'vitest'
import { box, revolve, type Surface } from './mesh.ts'
import { renderMesh, type View } from './render-mesh.ts'

const red = [255, 0, 0] as const
const green = [0, 255, 0] as const
const blue = [0, 0, 255] as const
const head: View = {
  yaw: 0,
  pitch: 0,
  roll: 0,
  distance: 8,
  size: 60,
  light: [0, 0, 1],
  ambient: 1,
  tint: [1, 1, 1]
}
const dice = box([-1, -1, -1], [1, 1, 1], { front: red, left: green, right: green, top: blue })

function colorsOf(surfaces: readonly Surface[], view: View): Map<string, number> {
  const { rgba } = renderMesh(surfaces, view)
  const counts = new Map<string, number>()
  for (let i = 0; i < rgba.length; i += 4) {
    const name =
      rgba[i + 3]! < 250
        ? 'clear'
        : ['red', 'green', 'blue'][
            [0, 1, 2].reduce((best, c) => (rgba[i + c]! > rgba[i + best]! ? c : best), 0)
          ]!
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

test('from ahead only the front of a box is seen, and it is as large as asked for', () => {
  const { width, height } = renderMesh(dice, head)
  expect([width, height]).toEqual([60, 60])
  expect([...colorsOf(dice, head).keys()].sort()).not.toContain('blue')
  expect(colorsOf(dice, head).get('red')).toBeGreaterThan(3000)
})

test('turned and tipped, the side and the top come into sight, the top less than the front', () => {
  const colors = colorsOf(dice, { ...head, yaw: 35, pitch: 25 })
  expect(colors.get('green')).toBeGreaterThan(100)
  expect(colors.get('blue')).toBeGreaterThan(100)
  expect(colors.get('red')).toBeGreaterThan(colors.get('blue')!)
})

test('what is nearer hides what is behind, in whatever order they are drawn', () => {
  const small = box([-0.5, -0.5, 1.5], [0.5, 0.5, 2], { front: blue })
  for (const surfaces of [
    [...dice, ...small],
    [...small, ...dice]
  ])
    expect(colorsOf(surfaces, head).get('blue')).toBeGreaterThan(300)
  const behind = box([-0.5, -0.5, -2], [0.5, 0.5, -1.5], { front: blue })
  expect(colorsOf([...dice, ...behind], head).get('blue')).toBeUndefined()
})

test('the middle of a picture laid around a round thing faces the viewer', () => {
  const rgba = new Uint8Array(4 * 90).fill(255)
  const thirds = [green, red, blue]
  for (let x = 0; x < 90; x++) rgba.set(thirds[Math.floor(x / 30)]!, 4 * x)
  const can = revolve(
    [
      [1, 0.5],
      [0, 0.5]
    ],
    { paint: { width: 90, height: 1, rgba } }
  )
  const { width, height, rgba: seen } = renderMesh([can], head)
  const at = (part: number): number[] => [
    ...seen.subarray(
      4 * (Math.floor(height / 2) * width + Math.floor(part * width)),
      4 * (Math.floor(height / 2) * width + Math.floor(part * width)) + 3
    )
  ]
  expect(at(0.5)).toEqual([255, 0, 0])
  expect(at(0.03)[1]).toBeGreaterThan(200)
  expect(at(0.97)[2]).toBeGreaterThan(200)
})
