import { type Calibration, calibrationSchema } from '@likeness/shared/confidence/calibration'
import { decodeObject } from '@likeness/shared/contract/checked-object'
import type { ObjectStore } from '@likeness/store/object-store'
import type { CalibrationRef } from '../state/calibration-ref.ts'
import { isLost, readPart } from '../state/read-state.ts'

/** Throws data_corrupt. */
export const decodeCalibration = (key: string, body: Uint8Array): Calibration =>
  decodeObject(calibrationSchema, key, body)

/** Throws data_corrupt or object_not_found. */
export async function readCalibration(
  store: ObjectStore,
  ref: CalibrationRef
): Promise<Calibration> {
  return decodeCalibration(ref.key, await readPart(store, ref))
}

/** Returns null for one that is damaged, or was collected: answers go on without it. */
export async function findCalibration(
  store: ObjectStore,
  ref: CalibrationRef
): Promise<Calibration | null> {
  try {
    return await readCalibration(store, ref)
  } catch (error) {
    if (isLost(error)) return null
    throw error
  }
}
