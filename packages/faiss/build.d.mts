// Types of the build script for the launcher and the tests.
export class BuildError extends Error {}
export interface BuildOptions {
  log?: (line: string) => void
  env?: Record<string, string | undefined>
  outDir?: string
}
export function buildAddon(
  options?: BuildOptions
): Promise<{ built: boolean; seconds: number; file: string }>
