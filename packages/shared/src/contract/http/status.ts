// The state of a process over HTTP: parts of it that other programs read.

/** Room on a disk of the machine of this process. */
export interface DiskRoom {
  free_bytes: number
  total_bytes: number
}
export interface DisksAnswer {
  /** Disk of `DATA_DIR`. null: the system does not tell. */
  data: DiskRoom | null
  /** Disk of a directory store. null: the objects are elsewhere. */
  store: DiskRoom | null
}
