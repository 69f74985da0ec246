import sharp from 'sharp'
import { expect, test } from 'vitest'
import { type ExampleSet, listLine, unknownLabel } from '@likeness/drawing/example-set'
import { logoKinds, logoSet } from '@likeness/drawing/logo/logo-set'
import { productKinds, productSet } from '@likeness/drawing/product/product-set'
import { vehicleKinds, vehicleSet } from '@likeness/drawing/vehicle/vehicle-set'

interface Case {
  name: string
  make: (seed?: number) => ExampleSet
  kinds: readonly string[]
  /** Number of fields in a line of the gallery, and in a line of the queries. */
  fields: [number, number]
}
const cases: Case[] = [
  { name: 'product', make: productSet, kinds: productKinds, fields: [2, 3] },
  { name: 'vehicle', make: vehicleSet, kinds: vehicleKinds, fields: [3, 4] },
  { name: 'logo', make: logoSet, kinds: logoKinds, fields: [2, 3] }
]

for (const { name, make, kinds, fields } of cases) {
  test(`${name}: a few hundred pictures with different paths; every label asked for is in the gallery, every kind is asked`, async () => {
    const { gallery, queries } = await make().plan()
    expect(gallery.length).toBeGreaterThanOrEqual(150)
    expect(gallery.length).toBeLessThanOrEqual(400)
    expect(queries.length).toBeGreaterThanOrEqual(100)
    expect(queries.length).toBeLessThanOrEqual(200)
    const lines = [gallery, queries].map((pictures) =>
      pictures.map((picture) => listLine(picture).trimEnd().split('\t').length)
    )
    expect(lines.map((counts) => [...new Set(counts)])).toEqual(fields.map((count) => [count]))
    expect(new Set([...gallery, ...queries].map(({ path }) => path)).size).toBe(
      gallery.length + queries.length
    )
    const held = new Set(gallery.map(({ label }) => label))
    for (const { label, path, more } of queries) {
      const isUnknown = more!.at(-1)!.startsWith('unknown')
      expect(label === unknownLabel, path).toBe(isUnknown)
      if (!isUnknown)
        expect(
          label.split('|').every((one) => held.has(one)),
          path
        ).toBe(true)
    }
    expect([...new Set(queries.map(({ more }) => more!.at(-1)))].sort()).toEqual([...kinds].sort())
  })

  test(`${name}: the same seed draws the same bytes, another seed others`, async () => {
    const [first, again, other] = await Promise.all(
      [make(), make(), make(99)].map((set) => set.plan())
    )
    expect(again!.queries.map(listLine)).toEqual(first!.queries.map(listLine))
    for (const kind of kinds) {
      const at = first!.queries.findIndex(({ more }) => more!.at(-1) === kind)
      const image = await first!.queries[at]!.draw()
      expect(image.equals(await again!.queries[at]!.draw()), kind).toBe(true)
      expect((await sharp(image).metadata()).width, kind).toBeGreaterThanOrEqual(90)
    }
    expect((await first!.gallery[0]!.draw()).equals(await other!.gallery[0]!.draw())).toBe(false)
  })
}

test('pictures of unknown goods and vehicles are of none that the gallery shows', async () => {
  const product = await productSet().plan()
  const shown = new Set(product.gallery.map(({ label }) => label))
  const strangers = product.queries
    .filter(({ label }) => label === unknownLabel)
    .map(({ path }) => path.replace(/^.*\/unknown(-variant)?-|\.jpg$/g, ''))
  expect(strangers.filter((label) => shown.has(label))).toEqual([])
  const vehicle = await vehicleSet().plan()
  const seen = new Set(vehicle.gallery.map(({ label }) => label))
  expect(
    vehicle.queries.filter(
      ({ label, path }) =>
        label === unknownLabel && seen.has(path.replace(/^.*\/|-cam\d\.jpg$/g, ''))
    )
  ).toEqual([])
})

test('every vehicle is in the gallery as each camera sees it, so that leaving out the own camera leaves an answer', async () => {
  const { gallery, queries } = await vehicleSet().plan()
  for (const { label, more } of queries.filter((query) => query.label !== unknownLabel)) {
    const cameras = gallery
      .filter((picture) => picture.label === label)
      .map((picture) => picture.more![0])
    expect(cameras).toContain(more![0])
    expect(cameras.some((camera) => camera !== more![0])).toBe(true)
  }
})
