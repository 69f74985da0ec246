// Keys in the yaml of a gallery that only Likeness has.
import { z } from 'zod'
import {
  collectionNameSchema,
  collectionSettingsSchema,
  givenSettingsSchema,
  storageSchema
} from '@likeness/shared/contract/collection'
import { collectionProfileSchema } from '@likeness/shared/contract/profile'
import { fieldName, key, number } from './schema-key.ts'

const given = givenSettingsSchema.shape
export const likeness = z.strictObject({
  collection: key(collectionNameSchema.optional(), {
    description: "the collection's name",
    absent: 'made from the path of `index_dir`'
  }),
  fields: key(z.array(fieldName).max(32).optional(), {
    description: 'names of the fields after the label; they become metadata',
    absent: '`field_2`, `field_3`, ...'
  }),
  exclude: key(given.exclude_same, {
    description: 'hits with the same value of such a field as the query are left out',
    absent: "none, or the profile's"
  }),
  profile: key(collectionProfileSchema.optional(), {
    description:
      '`general`, `product`, `vehicle` or `logo` (sets the keys below); a learned profile as NAME or NAME@VERSION; or both, as `vehicle/NAME`',
    absent: "`general`, with the model's own projection"
  }),
  subjects: key(given.subjects, {
    description:
      'detected subjects of a gallery picture that can be found beside the whole: `true` (all), `main` (the main one), `false`',
    absent: "`false`, or the profile's"
  }),
  second_pass: key(given.second_pass, {
    description:
      'subjects, and the box of a query, are cut out and embedded at `view_sizes`, as whole pictures are: a run of the model for each size',
    absent: "`false`, or the profile's"
  }),
  classes: key(given.classes, {
    description:
      'only subjects of these classes count, by the names that the model has; `[]` for all',
    absent: "`[]`, or the profile's"
  }),
  without_classes: key(given.without_classes, {
    description: 'subjects of these classes do not count',
    absent: "`[]`, or the profile's"
  }),
  view_sizes: key(given.view_sizes, {
    description: 'sizes in pixels at which a gallery picture is embedded',
    absent: "`[224, 128]`, or the profile's"
  }),
  view_turns: key(given.view_turns, {
    description: 'degrees: a further view of a gallery picture, turned by each',
    absent: "`[]`, or the profile's"
  }),
  view_shears: key(given.view_shears, {
    description:
      'a further view of a gallery picture, slanted by each of these parts of its height',
    absent: "`[]`, or the profile's"
  }),
  view_parts: key(given.view_parts, {
    description:
      'four further views of a gallery picture for each of these shares: the visible rest when a side is covered',
    absent: '`[]`'
  }),
  backgrounds: key(given.backgrounds, {
    description:
      'grounds that a transparent gallery picture is put on, a view each: `auto` (the one that shows more of it), `white`, `dark`',
    absent: "`[auto]`, or the profile's"
  }),
  trim: key(given.trim, {
    description: 'cuts transparent borders off first',
    absent: "`false`, or the profile's"
  }),
  query_subjects: key(given.query_subjects, {
    description: 'subjects of a query that are searched for: `all` or `main`',
    absent: "`all`, or the profile's"
  }),
  whole: key(given.whole, {
    description:
      'searches for the whole picture of a query `always`, or as a `fallback` when no subject is found',
    absent: "`always`, or the profile's"
  }),
  tiles: key(given.tiles, {
    description: 'n: n x n overlapping parts of a query are searched for like subjects',
    absent: "`[]`, or the profile's"
  }),
  detect_tiles: key(given.detect_tiles, {
    description:
      'n: subjects of a query are looked for in n x n enlarged parts of it too; a run of the model for each',
    absent: "`[]`, or the profile's"
  }),
  cohort_weight: key(given.cohort_weight, {
    description:
      '`score_thres` is compared with the score minus this part of the mean score of the five nearest other labels',
    absent: '`0`'
  }),
  rerank: key(given.rerank, {
    description:
      'orders hits by k-reciprocal distance (`true`), or by the parts that they share with the query (`cells`)',
    absent: "`false`, or the profile's"
  }),
  weights: key(given.weights, {
    description:
      'weights of the parts of the embedding in a search, by name, as `{kind: 0.5, instance: 1}`; 0 leaves a part out',
    absent: "the profile's, or the embedding's"
  }),
  seal_threshold: key(number(collectionSettingsSchema.shape.seal_threshold.unwrap()).optional(), {
    description:
      'rows from which on a segment gets the index of `index_method`; smaller ones are exact',
    absent: '20000'
  }),
  storage: key(storageSchema.optional(), {
    description:
      'how sealed segments store vectors: `f32`, `f16`, `sq8` (a byte a value) or `pq<m>` (m bytes a vector; m divides its length)',
    absent: '`f32`',
    examples: ['f32', 'f16', 'sq8', 'pq64']
  }),
  rescore: key(z.boolean().optional(), {
    description:
      'with `f16`, `sq8` and `pq<m>`: scores come from the full vectors, which are kept on disk',
    absent: '`false`'
  }),
  hamming_threshold: key(
    number(collectionSettingsSchema.shape.hamming_threshold.unwrap()).optional(),
    { description: 'with `hamming`: a value above it is a 1', absent: '0, the sign' }
  )
})
