// `likeness alias`: lists aliases of collections, points an alias at a collection, or removes an
// alias.
import { connectOptions, connectUsage, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { connect } from '../connect/connect.ts'
import { UserError } from '../user-error.ts'

const usage = `likeness alias [ALIAS [COLLECTION]] [options]      lists aliases, or points one at a collection
  --expected NAME   only if it points at this collection until now
  --remove          removes it
  --json
${connectUsage}`

/** Exit code 0; 1 when the requested alias does not exist. */
export async function runAlias(args: readonly string[], context: CommandContext): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    options: {
      ...connectOptions,
      expected: { type: 'string' },
      remove: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false }
    },
    usage,
    positionals: true
  })
  const [alias, collection, ...more] = positionals
  const { expected, remove } = values
  if (
    more.length > 0 ||
    (remove && (alias === undefined || collection !== undefined)) ||
    (expected !== undefined && collection === undefined && !remove)
  )
    throw new UserError(usage)
  const api = await connect(context, values)
  if (remove) await api.removeAlias(alias!, { expected })
  else if (collection !== undefined) await api.setAlias(alias!, collection, { expected })
  const aliases = (await api.listAliases()).filter(
    (one) => alias === undefined || one.alias === alias
  )
  if (values.json) context.print(JSON.stringify({ aliases }))
  else for (const one of aliases) context.print(`${one.alias}  ${one.collection}`)
  return alias === undefined || remove || aliases.length > 0 ? 0 : 1
}
