// Documented commands that take minutes. Another test or a stage of a run executes each of them.
import type { DocumentedCommand } from './code-blocks.ts'

export interface RunElsewhere {
  /** Command as on the pages, without comment. */
  command: string
  /** File that runs the command. */
  by: string
  /** Text in that file that proves the run. */
  shownBy: string
}

const stack = 'test/support/docs/documented-stack.ts'
const example = 'test/integration/cli/example.test.ts'

export const runElsewhere: readonly RunElsewhere[] = [
  { command: 'npm run demo', by: stack, shownBy: "'run', 'demo'" },
  { command: 'npm test', by: 'scripts/tests/stages.mjs', shownBy: 'quickLanes' },
  { command: 'npx tsc -p tsconfig.json', by: 'scripts/tests/stages.mjs', shownBy: "'type check'" },
  { command: 'likeness example product', by: example, shownBy: "'product'" },
  { command: 'likeness example vehicle', by: example, shownBy: "'vehicle'" },
  { command: 'likeness example logo', by: example, shownBy: "'logo'" },
  {
    command: 'likeness example product -o IndexProcess.score_thres=None',
    by: example,
    shownBy: "'IndexProcess.score_thres=None'"
  },
  { command: 'likeness example product --threshold', by: example, shownBy: "'--threshold'" }
]

const bare = (text: string): string => text.replace(/\s+#.*$/, '').trim()

/** Returns the entry of a command; undefined for a command that the test of its page runs. */
export const elsewhere = ({ text }: DocumentedCommand): RunElsewhere | undefined =>
  runElsewhere.find(({ command }) => command === bare(text))
