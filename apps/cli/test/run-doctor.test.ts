// `likeness doctor` as it is called: its exit codes, and checks that cannot look.
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { embedAnswer } from '../../api/src/test-support/start-test-api.ts'
import type { CommandContext } from '../src/command.ts'
import type { Finding, Unseen } from '../src/doctor/check.ts'
import { runDoctor } from '../src/doctor/run-doctor.ts'
import { UserError } from '../src/user-error.ts'
import { dim, labelled, near, openGallery } from './doctor-gallery.ts'

/** Without what is found of the disk of this machine. */
async function doctor(url: string, ...args: string[]) {
  const lines: string[] = []
  const print = (text: string) => void lines.push(text)
  const context = { print, say: print, write: print, nowMs: () => 0 } as unknown as CommandContext
  const code = await runDoctor(['--api', url, ...args], context)
  const isJson = args.includes('--json')
  const { findings, unseen } = (isJson ? JSON.parse(lines.at(-1)!) : {}) as {
    findings?: Finding[]
    unseen?: Unseen[]
  }
  const own = findings?.filter(({ collection }) => collection !== null)
  const ofDisk = (findings?.length ?? 0) - (own?.length ?? 0)
  return { code: ofDisk > 0 && own!.length === 0 ? 'disk' : code, own, unseen, lines }
}

test('nothing is found in a sound gallery; a check that cannot look is named; a fault has an exit code of its own', async () => {
  const gallery = await openGallery({ settings: { query_subjects: 'none' } })
  const items = labelled(6, 3)
  await gallery.addPictures(items)
  const { embedders, url } = gallery.test
  embedders.answer = () => {
    const answer = embedAnswer([[...items[0]!.vector]])
    return { ...answer, embedding: { ...answer.embedding, dim } }
  }
  const sound = await doctor(url, 'marks', '--json')
  expect([sound.own, sound.unseen]).toEqual([[], []])
  expect([0, 'disk']).toContain(sound.code)

  embedders.embed = async () => {
    throw appError('image_corrupt', 'no picture can be read')
  }
  const blind = await doctor(url, '--json')
  expect(blind.own).toEqual([])
  expect(blind.unseen).toEqual([
    {
      id: 'slow-detection',
      collection: 'marks',
      reason: expect.stringContaining('no picture can be read')
    }
  ])
  expect([1, 'disk']).toContain(blind.code)

  const twin = near(items[0]!.vector, items[9]!.vector, 0.999)
  await gallery.addPictures([{ id: 'twin', label: 'label 5', vector: twin }])
  const found = await doctor(url, 'marks', '--json')
  expect(found.code).toBe(4)
  expect(found.own).toEqual([
    {
      id: 'contradicting-labels',
      complaint: 'wrong',
      collection: 'marks',
      found: expect.any(String),
      says: expect.any(String),
      type: [expect.stringContaining('curl')],
      examples: [expect.stringContaining('twin (label 5)')]
    }
  ])
  const text = (await doctor(url, 'marks')).lines.join('\n')
  expect(text).toContain('ANSWERS ARE WRONG\n  marks: contradicting-labels: ')
  expect(text).toContain('could not look: marks: slow-detection: ')
})

test('a collection that does not exist is a wrong argument', async () => {
  const gallery = await openGallery()
  await expect(doctor(gallery.test.url, 'none')).rejects.toThrow(UserError)
  await expect(doctor(gallery.test.url, 'one', 'two')).rejects.toThrow(UserError)
})
