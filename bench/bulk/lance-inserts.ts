// Inserts Arrow tables into a new table of embedded LanceDB.
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type LanceTable, loadLance, tableName } from '../engine/lancedb.ts'

/** `synced`: every new file and its folder are durable after each insert. */
export async function insertIntoLance(
  tables: Iterable<unknown>,
  { dir, synced = false }: { dir: string; synced?: boolean }
): Promise<void> {
  const durable = new Set<string>()
  const connection = await loadLance().connect(dir)
  let table: LanceTable | undefined
  for (const rows of tables) {
    if (table === undefined) table = await connection.createTable(tableName, rows)
    else await table.add(rows)
    if (synced) await syncNew(dir, durable)
  }
  table?.close()
  connection.close()
}

async function syncNew(dir: string, durable: Set<string>): Promise<void> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
  const paths = found.map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
  const fresh = paths.filter(({ entry, path }) => entry.isFile() && !durable.has(path))
  const folders = new Set(fresh.map(({ entry }) => entry.parentPath))
  const sync = async (path: string) => {
    const file = await open(path, 'r')
    await file.sync()
    await file.close()
  }
  await Promise.all(fresh.map(({ path }) => sync(path)))
  await Promise.all([...folders].map(sync))
  for (const { path } of fresh) durable.add(path)
}
