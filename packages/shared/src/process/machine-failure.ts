// Errors of the machine and of the services that it reaches: a full disk, a missing permission, a
// server that is away. Each gets a stable word and a text that says what to do.

export interface MachineFailure {
  /** Stable; shown to clients. */
  reason: string
  /** What is wrong and what to do, as a part of a sentence. */
  text: string
}

const noPermission: MachineFailure = {
  reason: 'permission_denied',
  text: 'permission denied: the user of this process needs the right to read and write there'
}
const tooManyFiles: MachineFailure = {
  reason: 'too_many_open_files',
  text: 'too many open files: raise the limit (ulimit -n)'
}
const unreachable: MachineFailure = {
  reason: 'unreachable',
  text: 'it cannot be reached: check its address and whether it runs'
}
const wrongKey: MachineFailure = {
  reason: 'access_denied',
  text: 'access denied: the access key is wrong, or has no right to do this'
}
const noBucket: MachineFailure = {
  reason: 'no_bucket',
  text: 'the bucket does not exist: create it again'
}

/** By the code of Node, or by the code of an S3 server. */
const failures: Record<string, MachineFailure> = {
  ENOSPC: {
    reason: 'no_space',
    text: 'no space left on the disk: make room there, and the work goes on'
  },
  EDQUOT: {
    reason: 'quota_exceeded',
    text: 'the disk quota is used up: make room or raise the quota, and the work goes on'
  },
  EROFS: {
    reason: 'read_only',
    text: 'the file system is read-only: mount it for writing, and the work goes on'
  },
  EADDRINUSE: {
    reason: 'port_in_use',
    text: 'the port is in use: stop what listens there, or give another one'
  },
  ENOTDIR: {
    reason: 'not_a_folder',
    text: 'a file is in the way of a folder: move it, or give another path'
  },
  ENAMETOOLONG: { reason: 'name_too_long', text: 'the path is too long: give a shorter one' },
  EACCES: noPermission,
  EPERM: noPermission,
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  ENOMEM: { reason: 'out_of_memory', text: 'the machine has no memory left' },
  EIO: { reason: 'disk_error', text: 'the disk reports an error: check it' },
  ESTALE: unreachable,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  AccessDenied: wrongKey,
  AllAccessDisabled: wrongKey,
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  NoSuchBucket: noBucket,
  XMinioStorageFull: {
    reason: 'no_space',
    text: 'no space left on the server: make room there, and the work goes on'
  },
  QuotaExceeded: {
    reason: 'quota_exceeded',
    text: 'the quota of the bucket is used up: make room or raise it, and the work goes on'
  }
}

/** Texts of the system, for errors without a code: of the addon, and of Redis. */
const texts: readonly (readonly [RegExp, keyof typeof failures])[] = [
  [/no space left on device/i, 'ENOSPC'],
  [/disk quota exceeded/i, 'EDQUOT'],
  [/read-only file system/i, 'EROFS'],
  [/permission denied/i, 'EACCES'],
  [/too many open files/i, 'EMFILE'],
  [/cannot allocate memory/i, 'ENOMEM'],
  [/\bEADDRINUSE\b/, 'EADDRINUSE']
]

function failureOf(error: Error): MachineFailure | undefined {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && Object.hasOwn(failures, code)) return failures[code]
  const known = texts.find(([pattern]) => pattern.test(error.message))
  return known && failures[known[1]]
}

const roomReasons: readonly string[] = ['no_space', 'quota_exceeded']

/** Whether the work goes on when files are deleted. */
export const isOutOfSpace = (error: unknown): boolean =>
  roomReasons.includes(findMachineFailure(error)?.reason ?? '')

/** Searches the error and its causes. undefined: the error says nothing about the machine. */
export function findMachineFailure(error: unknown): MachineFailure | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    const failure = failureOf(at)
    if (failure !== undefined) return failure
    if (at instanceof AggregateError && at.errors.length > 0)
      return findMachineFailure(at.errors[0])
  }
  return undefined
}
