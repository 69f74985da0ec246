// Keys that the yaml of a gallery shares with PaddleClas: `IndexProcess` and `Global`.
import { z } from 'zod'
import { indexMethods, metrics, searchBudgetSchema } from '@likeness/shared/contract/collection'
import { maxObjects } from '@likeness/shared/contract/limits'
import { key, number, oneOf, path, share, whole } from './schema-key.ts'

/** In single quotes, and without quotes, yaml reads `\t` as two characters. A tab is meant. */
export const readDelimiter = (text: string): string => text.replaceAll('\\t', '\t')

export const operations = ['new', 'append', 'remove'] as const

export const indexProcess = z.strictObject({
  index_method: key(oneOf(indexMethods).optional(), {
    description: '`HNSW32`, `IVF` or `FLAT`, in any case',
    absent: '`HNSW32`',
    examples: indexMethods
  }),
  index_dir: key(path, {
    description:
      'names the gallery (its collection), and is where its record and an exported index are written'
  }),
  image_root: key(path, {
    description: 'folder of the pictures',
    absent: 'required; `search`, `export` and `verify` work without it'
  }),
  data_file: key(path, {
    description:
      'lines `path<delimiter>label[<delimiter>more]`; UTF-8, or UTF-16 with a BOM; CRLF, CR and blank lines are fine',
    absent: 'required; `search`, `export` and `verify` work without it'
  }),
  delimiter: key(z.string().min(1).max(16).transform(readDelimiter).optional(), {
    description: 'separates the fields of a line; `\\t` in any quotes is a tab',
    absent:
      'tab if every line has one, else the path is the longest prefix of the line that exists under `image_root`'
  }),
  index_operation: key(oneOf(operations).optional(), {
    description: '`new`, `append` (adds and replaces) or `remove` (by path)',
    examples: operations,
    absent: '`new`; a gallery that holds something is only wiped with `--force`'
  }),
  dist_type: key(oneOf(metrics).optional(), {
    description: '`IP`, `L2`, `cosine` or `hamming` (each value of a vector becomes a bit)',
    absent: '`IP`',
    examples: metrics
  }),
  embedding_size: key(whole(1, 65_536).optional(), {
    description: 'values of a vector; must be the number of the model',
    absent: "the model's"
  }),
  batch_size: key(whole(1, 1_000_000).optional(), {
    description:
      'accepted, without effect: one process per core embeds one picture after the other',
    absent: 'no effect'
  }),
  return_k: key(whole(1, 10_000).optional(), { description: 'hits per subject', absent: '5' }),
  score_thres: key(number(z.number().min(-1e6).max(1e6)).optional(), {
    description:
      'least `score` of a hit, or least `margin` with `Likeness.cohort_weight`; a subject without a hit is "unknown"',
    absent: 'none'
  }),
  hamming_radius: key(whole(0, 65_536).optional(), {
    description: 'with `hamming`: hits within so many bits, inclusive; the best `return_k` of them',
    absent: 'required for `hamming` unless `score_thres` is given'
  }),
  search_budget: key(number(searchBudgetSchema).optional(), {
    description: 'effort of a search: efSearch for `HNSW32`, nprobe for `IVF`',
    absent: 'max(64, 4 k) or max(8, sqrt(nlist))'
  })
})

export const global = z.strictObject({
  threshold: key(share.optional(), {
    description: 'least score of a detected subject',
    absent: '0.2'
  }),
  max_det_results: key(whole(1, maxObjects).optional(), {
    description: 'most subjects of a picture',
    absent: "5, or the profile's"
  }),
  rec_nms_thresold: key(share.optional(), {
    description:
      'recognised subjects whose boxes overlap by more than this (IoU): only the best one is answered',
    absent: "0.05, or the profile's"
  }),
  rec_nms_threshold: key(share.optional(), {
    description: 'the same, spelled right',
    absent: "0.05, or the profile's"
  })
})

/** Keys of PP-ShiTu in 2021, with what to write today. */
export const formerKeys: ReadonlyMap<string, string> = new Map([
  ['index_path', 'is a name of 2021: write index_dir'],
  [
    'append_index',
    'is a key of 2021: write index_operation: "append" for True, index_operation: "new" for False'
  ],
  [
    'pq_size',
    'is a key of 2021, for building a graph that does not exist here: remove it (Likeness.storage compresses vectors)'
  ],
  ['spacer', 'is a name of 2021: write delimiter']
])
