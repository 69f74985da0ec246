// Commands of a shell that a finding tells the user to type.
import { inCollection } from '../api/api-request.ts'

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

function curl(url: string, method: string, body?: unknown): string {
  const sent =
    body === undefined
      ? ''
      : ` -H 'content-type: application/json' -d ${quoted(JSON.stringify(body))}`
  return `curl -X ${method} ${quoted(url)}${sent}`
}

export const changeSettings = (url: string, name: string, settings: object): string =>
  curl(`${url}${inCollection(name)}`, 'PATCH', { settings })

export const relabel = (url: string, name: string, ids: readonly string[]): string =>
  curl(`${url}${inCollection(name, '/relabel')}`, 'POST', { ids, label: 'THE RIGHT LABEL' })

export const compact = (url: string, name: string): string =>
  curl(`${url}${inCollection(name, '/compact')}`, 'POST')

/** The picture of an item, for a browser. */
export const pictureUrl = (url: string, name: string, id: string): string =>
  `${url}${inCollection(name, `/items/${encodeURIComponent(id)}/image`)}`
