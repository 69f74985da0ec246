// Test groups, each run by name: `vitest run --project unit`. Tests beside the source are unit
// tests; the rest lives under test/.
import { defineConfig } from 'vitest/config'

const simulation = ['**/*.simulation.test.ts', 'test/simulation/**/*.test.ts']
const own = (folder: string) => [`test/${folder}/**/*.test.ts`]
const excluded = ['**/node_modules/**', 'packages/faiss/build/**', 'out/**', '.likeness/**']
const group = (name: string, include: string[], options: object = {}) => ({
  extends: true as const,
  test: { name, include, exclude: excluded, ...options }
})

export default defineConfig({
  test: {
    pool: 'forks',
    // Generous: the machine may be slow and busy, and no test is about speed. A poll waits nearly as
    // long as the shortest test may take.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 110_000 } },
    teardownTimeout: 30_000,
    maxWorkers: 2,
    projects: [
      group(
        'unit',
        [
          'packages/*/{src,test}/**/*.test.ts',
          'apps/*/{src,test}/**/*.test.ts',
          'scripts/**/*.test.mjs',
          'models/training/*.test.ts',
          'test/*.test.ts'
        ],
        {
          exclude: [...excluded, ...simulation]
        }
      ),
      group('contract', own('contract'), {
        testTimeout: 300_000,
        hookTimeout: 600_000,
        fileParallelism: false
      }),
      group('simulation', simulation, { testTimeout: 900_000 }),
      group('integration', own('integration'), {
        testTimeout: 600_000,
        hookTimeout: 600_000,
        fileParallelism: false
      }),
      group('browser', own('browser'), {
        testTimeout: 300_000,
        hookTimeout: 300_000,
        fileParallelism: false
      })
    ]
  }
})
