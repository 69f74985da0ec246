// The product example: the gallery and the queries.
import { type DrawnPicture, type ExampleSet, type Plan, unknownLabel } from '../example-set.ts'
import { createRandom, type SeededRandom, shuffled } from '../seeded-random.ts'
import { inventFamilies, type Product } from './product-identity.ts'
import { crowdedTablePicture, shelfPicture, studioPicture, tablePicture } from './product-scenes.ts'

/**
 * Kinds of queries, the last field of their lines. `similar`: the gallery has the same brand in
 * other flavours or sizes.
 */
export const productKinds = ['single', 'similar', 'several', 'unknown', 'unknown-variant'] as const
type Kind = (typeof productKinds)[number]

const familyCount = 44
const unknownFamilies = 9
const severalCount = 24

/** Makes the set. The seed decides everything. */
export const productSet = (seed = 11): ExampleSet => ({
  version: `product 2 ${seed}`,
  plan: async () => planProducts(seed)
})

function planProducts(seed: number): Plan {
  const random = createRandom(seed)
  const families = inventFamilies(familyCount, random.fork('families'))
  const strangers = families.slice(0, unknownFamilies)
  const known = families.slice(unknownFamilies)
  // Every second family with three variants keeps the last variant out of the gallery: a stranger
  // of a known brand.
  const held = known
    .filter((family) => family.length === 3)
    .filter((_, i) => i % 2 === 0)
    .map((family) => family.at(-1)!)
  const shown = known.map((family) => family.filter((product) => !held.includes(product)))
  return {
    gallery: shown
      .flat()
      .flatMap((product) => galleryOf(product, random.fork(`gallery ${product.label}`))),
    queries: queriesOf({ shown, held, strangers, random: random.fork('queries') })
  }
}

/** Two pictures of the catalogue and a picture that a user has taken. */
function galleryOf(product: Product, random: SeededRandom): DrawnPicture[] {
  const path = (view: string): string => `images/gallery/${product.label}-${view}.jpg`
  return [
    ...['a', 'b'].map((view) => ({
      path: path(view),
      label: product.label,
      draw: () => studioPicture(product, random.fork(view))
    })),
    {
      path: path('c'),
      label: product.label,
      draw: () => tablePicture(product, { side: 320, random: random.fork('c') })
    }
  ]
}

function queriesOf({
  shown,
  held,
  strangers,
  random
}: {
  shown: Product[][]
  held: Product[]
  strangers: Product[][]
  random: SeededRandom
}): DrawnPicture[] {
  const query = (
    kind: Kind,
    name: string,
    label: string,
    draw: (random: SeededRandom) => Promise<Buffer>
  ): DrawnPicture => {
    const path = `images/query/${kind}-${name}.jpg`
    return { path, label, more: [kind], draw: () => draw(random.fork(path)) }
  }
  const alone = (kind: Kind, product: Product, label = product.label): DrawnPicture =>
    query(kind, product.label, label, (own) => tablePicture(product, { random: own }))
  const everything = shuffled(shown.flat(), random.fork('several'))
  const several = Array.from({ length: severalCount }, (_, i) => {
    const products = pickDifferentBrands(everything, i * 3, 3 + (i % 3))
    return query(
      'several',
      String(i + 1).padStart(2, '0'),
      products.map(({ label }) => label).join('|'),
      (own) => (i % 2 === 0 ? shelfPicture(products, own) : crowdedTablePicture(products, own))
    )
  })
  return [
    ...shown.flatMap((family) =>
      family.map((product) => alone(family.length > 1 ? 'similar' : 'single', product))
    ),
    ...several,
    ...strangers.flat().map((product) => alone('unknown', product, unknownLabel)),
    ...held.map((product) => alone('unknown-variant', product, unknownLabel))
  ]
}

function pickDifferentBrands(products: readonly Product[], from: number, count: number): Product[] {
  const picked: Product[] = []
  for (let i = from; picked.length < count; i++) {
    const product = products[i % products.length]!
    if (!picked.some(({ brand }) => brand === product.brand)) picked.push(product)
  }
  return picked
}
