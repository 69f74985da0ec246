import sharp from 'sharp'
import { expect, test } from 'vitest'
import { lookOf, looksLikeOneOf } from './near-duplicates.ts'

const draw = (body: string) =>
  sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="224" height="224" viewBox="0 0 100 100">${body}</svg>`
    )
  )
    .png()
    .toBuffer()
const look = async (body: string) => lookOf(await draw(body))

test('a recoloured drawing is the same mark, other drawings in the same disc are not', async () => {
  const bolt = (color: string) =>
    `<circle cx="50" cy="50" r="48" fill="${color}"/><path d="M55 10L25 55h22l-5 35l33-48H52z" fill="#fff"/>`
  const bars =
    '<circle cx="50" cy="50" r="48" fill="#246"/><path d="M25 30h50v8H25zM25 46h50v8H25zM25 62h50v8H25z" fill="#fff"/>'
  const known = [(await look(bolt('#246')))!]
  expect(looksLikeOneOf((await look(bolt('#a33')))!, known)).toBe(true)
  expect(looksLikeOneOf((await look(bars))!, known)).toBe(false)
})

test('a mark of which nothing can be seen has no look', async () => {
  expect(await look('<rect width="100" height="100" fill="none"/>')).toBeUndefined()
})
