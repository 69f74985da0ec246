// Reads the camera of a picture from the file name. Sets for re-identification name the camera:
// `bus_0001_cam2.jpg`, `0002_c003_...`.

/** undefined when the name has no camera. */
export const cameraOf = (path: string): string | undefined =>
  /(?:^|[_\-/])(c(?:am)?\d+)(?=[._\-])/i.exec(path)?.[1]?.toLowerCase()
