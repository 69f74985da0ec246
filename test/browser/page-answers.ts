// What the API answers a page, heard in the page itself.
import type { Page } from 'playwright-core'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { NamedPicture } from './pictures.ts'

/** Listens in the page itself to the next answer of a path that ends so: from outside a body can only be asked for afterwards, and Chromium may have let go of it by then. */
export async function nextAnswer<T>(page: Page, end: string): Promise<() => Promise<T>> {
  const heard = await page.evaluateHandle(
    (wanted) => ({
      answer: new Promise<unknown>((resolve, reject) => {
        const real = globalThis.fetch
        globalThis.fetch = async (...request) => {
          const response = await real(...request)
          if (!response.url.endsWith(wanted)) return response
          globalThis.fetch = real
          response.clone().json().then(resolve, reject)
          return response
        }
      })
    }),
    end
  )
  return async () => (await heard.evaluate(({ answer }) => answer)) as T
}
export const nextSearch = (page: Page): Promise<() => Promise<SearchAnswer>> =>
  nextAnswer(page, '/search')

/** Hands the page a picture and returns what the API answered. */
export async function searchWith(page: Page, picture: NamedPicture): Promise<SearchAnswer> {
  const answered = await nextSearch(page)
  await page.locator('#file').setInputFiles(picture)
  const answer = await answered()
  await page.locator('.verdict').waitFor()
  return answer
}
