// The camera that a picture is of, where its file name says one, as sets for re-identification do: `bus_0001_cam2.jpg`, `0002_c003_...`.

/** undefined where it says none. */
export const cameraOf = (path: string): string | undefined =>
  /(?:^|[_\-/])(c(?:am)?\d+)(?=[._\-])/i.exec(path)?.[1]?.toLowerCase()
