// Tests notifications that reach a writer before their log entry.
import { expect, test } from 'vitest'
import { createGallery } from '../testing/gallery.ts'

test('a batch that is hinted while its log entry is far behind others is not forgotten', async () => {
  const gallery = await createGallery({ method: 'FLAT' })
  try {
    const writer = await gallery.openWriter()
    // Writes one slot per operation: more slots than a step reads.
    for (let i = 0; i < 260; i++) await gallery.remove(`gone-${i}`)
    const { ingestion } = await gallery.accept([{ id: 'a', seeds: [1] }])
    const batch = await gallery.embed(ingestion, [{ id: 'a', seeds: [1] }])
    expect(await writer.step({ batches: [batch] })).toMatchObject({ more: true })
    while ((await writer.step({ list: true })).more);
    expect(await gallery.allIds()).toEqual(['a'])
  } finally {
    await gallery.close()
  }
})
