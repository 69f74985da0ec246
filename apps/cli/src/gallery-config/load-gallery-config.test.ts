import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { batchSizeNote, loadGalleryConfig } from './load-gallery-config.ts'

const unmodified = `IndexProcess:
  index_method: "HNSW32"
  index_dir: "./product_gallery/index"
  image_root: "./product_images/"
  data_file: "./product_data.txt"
  dist_type: "IP"
  embedding_size: 512
  return_k: 5
  score_thres: 0.7
`
const least = 'IndexProcess:\n  index_dir: a/b\n  image_root: i\n  data_file: d\n'
const dir = temporaryFolder('yaml')
function load(text: string | Buffer, ...overrides: string[]) {
  const file = join(dir, 'g.yaml')
  writeFileSync(file, text)
  return loadGalleryConfig(file, { overrides })
}
/** Returns the message without the folder. */
async function refusal(text: string | Buffer, ...overrides: string[]): Promise<string> {
  const error: unknown = await load(text, ...overrides).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UserError)
  return (error as Error).message.replace(/\S*\/(g\.yaml)/g, '$1')
}

test('the file of a PP-ShiTu user is complete as it is, with every path relative to its folder', async () => {
  const { file, folder, ...config } = await load(unmodified)
  expect(config).toEqual({
    collection: expect.stringMatching(/^product-gallery-index-[0-9a-f]{8}$/),
    indexDir: join(folder, 'product_gallery/index'),
    imageRoot: join(folder, 'product_images'),
    dataFile: join(folder, 'product_data.txt'),
    delimiter: undefined,
    operation: undefined,
    indexMethod: 'HNSW32',
    metric: 'IP',
    embeddingSize: 512,
    returnK: 5,
    scoreThres: 0.7,
    hammingRadius: undefined,
    searchBudget: undefined,
    detectorThreshold: 0.2,
    fields: [],
    profile: {},
    pictures: { subjects: false, max_objects: 5, nms_iou: 0.05 },
    sealThreshold: undefined,
    storage: 'f32',
    rescore: false,
    hammingThreshold: undefined,
    warnings: []
  })
  expect(file).toBe(join(folder, 'g.yaml'))
})

test('a profile is a built-in one, a learned one, or both; what is written beside a built-in one goes before what it says', async () => {
  const withOwn = (lines: string) => load(`${unmodified}\nLikeness:\n${lines}`)
  expect(
    await withOwn('  profile: vehicle/cars\n  exclude: [site]\n  view_sizes: [64]')
  ).toMatchObject({
    profile: { builtIn: 'vehicle', learned: 'cars' },
    pictures: { exclude_same: ['site'], view_sizes: [64] }
  })
  expect((await withOwn('  profile: logo')).pictures).toEqual({})
  expect(await withOwn('  profile: cars@0123456789abcdef')).toMatchObject({
    profile: { learned: 'cars@0123456789abcdef' },
    pictures: { subjects: false, nms_iou: 0.05 }
  })
  for (const wrong of ['cars/vehicle', 'vehicle/logo', 'vehicle/', 'a b', 'vehicle/cars/x']) {
    expect(await refusal(`${unmodified}\nLikeness:\n  profile: ${wrong}`)).toContain(
      'Likeness.profile is not right: one of general, product, vehicle, logo; a learned NAME'
    )
  }
})

test('every key of a real PaddleClas file is read; what has no meaning here is named once', async () => {
  const config = await load(`Global:
  infer_imgs: "./drink_dataset_v2.0/test_images/"
  det_inference_model_dir: ./models/x
  rec_inference_model_dir: "./models/y"
  rec_nms_thresold: "1.0/20"
  batch_size: 1
  image_shape: [3, 640, 640]
  threshold: 0.3
  max_det_results: 7
  labe_list: [foreground]
  use_gpu: True
  enable_mkldnn: False
DetPreProcess:
  transform_ops:
    - DetResize: {interp: 2}
RecPostProcess: null
IndexProcess:
  index_method: "ivf" # HNSW32, IVF, Flat
  image_root: "./gallery"
  index_dir: "./index"
  data_file: "./gallery/drink_label.txt"
  index_operation: "append"
  delimiter: "\\t"
  dist_type: "l2"
  embedding_size: 512
  batch_size: 32
  return_k: 5
  score_thres: 0.4
  hamming_radius: None
  search_budget: 256
`)
  expect(config).toMatchObject({
    indexMethod: 'IVF',
    metric: 'L2',
    operation: 'append',
    delimiter: '\t',
    scoreThres: 0.4,
    searchBudget: 256,
    detectorThreshold: 0.3,
    pictures: { max_objects: 7, nms_iou: 0.05 }
  })
  expect(config.warnings).toEqual([
    expect.stringMatching(
      /no meaning here: Global\.infer_imgs, Global\.det_inference_model_dir, .*Global\.enable_mkldnn, DetPreProcess$/
    ),
    expect.stringContaining(batchSizeNote)
  ])
})

test('overrides win over the file, are checked like it, and are named when they are wrong', async () => {
  expect(
    await load(
      unmodified,
      'IndexProcess.return_k=3',
      'IndexProcess.score_thres=None',
      'Likeness.fields=[camera, lane]',
      'Global.threshold=1/4'
    )
  ).toMatchObject({
    returnK: 3,
    scoreThres: undefined,
    fields: ['camera', 'lane'],
    detectorThreshold: 0.25
  })
  expect(await refusal(unmodified, 'IndexProcess.return_k=many')).toBe(
    '-o IndexProcess.return_k=many: IndexProcess.return_k is not right: a number is expected, not "many"'
  )
  expect(await refusal(unmodified, 'IndexProcess.retrun_k=3')).toBe(
    '-o IndexProcess.retrun_k=3: IndexProcess.retrun_k is not known, did you mean return_k?'
  )
  expect(await refusal(unmodified, 'return_k')).toContain('write SECTION.KEY=value')
  expect(await refusal(unmodified, '__proto__.x=1')).toContain('there is no such key')
  expect(await refusal(unmodified, 'IndexProcess.return_k.x=1')).toContain(
    'IndexProcess.return_k is a value, not a section'
  )
  expect(await refusal(unmodified, 'IndexProcess.index_dir={a')).toMatch(
    /^-o IndexProcess\.index_dir=\{a: /
  )
})

test.each([
  [
    'a wrong type',
    `${least}  return_k: [5]\n`,
    /^g\.yaml:5:13: IndexProcess\.return_k is not right: a number is expected, not \[5\]$/
  ],
  [
    'code instead of a number',
    `${least}  score_thres: "__import__('os')"\n`,
    /^g\.yaml:5:16: .*a number is expected/
  ],
  ['a number out of range', `${least}  return_k: 0\n`, /^g\.yaml:5:13: .*return_k/],
  [
    'an unknown metric',
    `${least}  dist_type: euclid\n`,
    /^g\.yaml:5:14: .*one of IP, L2, cosine, hamming, not "euclid"/
  ],
  [
    'a missing key',
    'IndexProcess:\n  index_dir: a\n  image_root: i\n',
    /^g\.yaml:1:1: IndexProcess\.data_file is missing$/
  ],
  [
    'an unknown key',
    `${least}  Return_k: 5\n`,
    /^g\.yaml:5:3: IndexProcess\.Return_k is not known, did you mean return_k\?$/
  ],
  [
    'an unknown section',
    `${least}IndexProces:\n  a: 1\n`,
    /^g\.yaml:5:1: IndexProces is not known, did you mean IndexProcess\?$/
  ],
  [
    'IP and a radius',
    `${least}  dist_type: IP\n  hamming_radius: 3\n`,
    /^g\.yaml:6:19: IndexProcess\.hamming_radius belongs to dist_type hamming, and dist_type is IP/
  ],
  [
    'hamming without radius and threshold',
    `${least}  dist_type: hamming\n`,
    /^g\.yaml:5:14: .*hamming needs hamming_radius or score_thres/
  ],
  [
    'two spellings that differ',
    `${least}Global:\n  rec_nms_thresold: 0.1\n  rec_nms_threshold: 0.2\n`,
    /^g\.yaml:7:22: Global\.rec_nms_threshold is 0.2 and rec_nms_thresold is 0.1/
  ],
  ['a syntax error', 'IndexProcess:\n  index_dir: "a\n', /^g\.yaml:\d+:\d+: /],
  ['a tab as indentation', 'IndexProcess:\n\tindex_dir: a\n', /^g\.yaml:2:\d+: /],
  ['a key twice', `${least}  index_dir: c\n`, /^g\.yaml:5:3: .*unique/],
  ['two documents', `${least}---\na: 1\n`, /^g\.yaml:\d+:\d+: several yaml documents/],
  ['an empty file', '', /^g\.yaml:1:1: the file is empty$/],
  ['a list', '- 1\n', /^g\.yaml:1:1: sections/],
  ['an alias without an anchor', 'IndexProcess: *a\n', /^g\.yaml:1:\d+: .*alias/i],
  ['not UTF-8', Buffer.from([0x61, 0xff, 0x3a, 0x20, 0x31]), /not UTF-8$/]
])('%s is one line that begins with its place', async (_what, text, expected) => {
  const message = await refusal(text)
  expect(message).toMatch(expected)
  expect(message.split('\n')).toHaveLength(1)
})

test('every problem is said at once', async () => {
  expect(
    (await refusal('IndexProcess:\n  index_dri: a\n  return_k: x\n')).split('\n')
  ).toHaveLength(5)
})

test('aliases that would fill the memory, folders, missing and huge files are refused', async () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[i]}`).join(',')}]`).join('\n')}\n`
  expect(await refusal(bomb)).toMatch(/alias/i)
  await expect(loadGalleryConfig(dir, { overrides: [] })).rejects.toThrow('is a folder')
  await expect(loadGalleryConfig(join(dir, 'none.yaml'), { overrides: [] })).rejects.toThrow(
    'there is no such file'
  )
  expect(await refusal(Buffer.alloc(2 * 1024 * 1024, '#'))).toMatch(/has 2097152 bytes/)
})

test('whatever a file holds, what is thrown is for the user to read', async () => {
  let state = 7
  const random = (below: number): number =>
    (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) % below
  const pieces = [
    '\n',
    ':',
    ' ',
    '  ',
    '-',
    '"',
    "'",
    '{',
    '[',
    '&a',
    '*a',
    '|',
    '!!binary',
    '\t',
    '#',
    'null',
    '.inf',
    '1e999',
    '\u0000',
    '\uFEFF',
    'IndexProcess',
    '?',
    '<<: ',
    '%YAML 1.1\n---\n',
    '0x1f',
    '"\\x"'
  ]
  for (let round = 0; round < 1500; round++) {
    let text = unmodified
    for (let edits = 1 + random(4); edits > 0; edits--) {
      const at = random(text.length)
      text =
        text.slice(0, at) +
        (random(3) === 0 ? '' : pieces[random(pieces.length)]!) +
        text.slice(at + random(8))
    }
    const result: unknown = await load(text).catch((error: unknown) => error)
    if (result instanceof Error && !(result instanceof UserError))
      throw new Error(`${JSON.stringify(text)} threw`, { cause: result })
  }
})
