// `likeness rebuild`: builds a collection again from its log and vector batches, also a damaged
// collection.
import { connectOptions, connectUsage, oneCollection, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { connect } from '../connect/connect.ts'

const usage = `likeness rebuild COLLECTION [options]      makes it again from its log and vector batches; what it holds stays the same
  --json
${connectUsage}`

/** Exit code 0, also when the rebuild is logged and not done yet. */
export async function runRebuild(
  args: readonly string[],
  context: CommandContext
): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    options: { ...connectOptions, json: { type: 'boolean', default: false } },
    usage,
    positionals: true
  })
  const name = oneCollection(positionals, usage)
  const api = await connect(context, values)
  const answer = await api.rebuild(name)
  if (values.json) context.print(JSON.stringify({ collection: name, ...answer }))
  else
    context.print(
      answer.seq === undefined
        ? `${name}: asked for at revision ${answer.revision}, and not done yet`
        : `${name}: made again, seq ${answer.seq}`
    )
  return 0
}
