// Other keys that a file for PaddleClas may contain. They have no effect.
import { z } from 'zod'

/**
 * Keys and sections of PaddleClas without meaning here. They are accepted, and a single warning
 * names them.
 */
export const withoutMeaning = {
  Global: [
    'infer_imgs',
    'det_inference_model_dir',
    'rec_inference_model_dir',
    'inference_model_dir',
    'image_shape',
    'labe_list',
    'label_list',
    'batch_size',
    'use_gpu',
    'use_xpu',
    'use_npu',
    'use_mlu',
    'enable_mkldnn',
    'cpu_num_threads',
    'enable_benchmark',
    'use_fp16',
    'use_int8',
    'ir_optim',
    'use_tensorrt',
    'gpu_mem',
    'enable_profile',
    'benchmark',
    'class_num',
    'device',
    'config'
  ],
  IndexProcess: ['index_image_shape', 'feature_normalize', 'nprobe', 'index_key'],
  '': [
    'DetPreProcess',
    'DetPostProcess',
    'RecPreProcess',
    'RecPostProcess',
    'PreProcess',
    'PostProcess',
    'AttrPreProcess',
    'Arch',
    'Infer',
    'DataLoader'
  ]
} as const
export const ignored = <N extends string>(names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, z.unknown().optional()])) as Record<
    N,
    z.ZodOptional<z.ZodUnknown>
  >

/** Returns the dotted names of the keys in a file that have no meaning here. */
export function namesWithoutMeaning(file: Record<string, unknown>): string[] {
  return Object.entries(withoutMeaning).flatMap(([section, names]) => {
    const within = section === '' ? file : file[section]
    if (typeof within !== 'object' || within === null) return []
    return names
      .filter((name) => (within as Record<string, unknown>)[name] !== undefined)
      .map((name) => (section === '' ? name : `${section}.${name}`))
  })
}
