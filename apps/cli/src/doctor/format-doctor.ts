// What the doctor found, as lines for a terminal, by complaint.
import { printable } from '../search/format-answer.ts'
import { type Complaint, complaints, type Finding } from './check.ts'
import type { Examined } from './examine.ts'

const titles: Record<Complaint, string> = {
  wrong: 'ANSWERS ARE WRONG',
  slow: 'ANSWERS ARE SLOW',
  memory: 'TOO MUCH MEMORY OR DISK'
}

const nameOf = (collection: string | null): string => collection ?? 'the stack'

const linesOf = ({ id, collection, found, says, type, examples = [] }: Finding): string[] => [
  `  ${nameOf(collection)}: ${id}: ${printable(found)}`,
  `    ${says}`,
  ...examples.map((example) => `    - ${printable(example)}`),
  ...type.map((line) => `    $ ${printable(line)}`)
]

export function formatDoctor({ findings, unseen }: Examined): string {
  const found = complaints.flatMap((complaint) => {
    const some = findings.filter((finding) => finding.complaint === complaint)
    return some.length === 0 ? [] : [titles[complaint], ...some.flatMap(linesOf)]
  })
  const not = unseen.map(
    ({ id, collection, reason }) =>
      `could not look: ${nameOf(collection)}: ${id}: ${printable(reason)}`
  )
  return [...found, ...not].join('\n')
}
