// Route GET /v1/collections/:c/items/:id.
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import { pictureLinks, withItem } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { pathParameter, type Route } from '../http/route.ts'

export const getItem = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c/items/:id',
  async handle(req, res) {
    const answer = await withItem(
      deps,
      req,
      ({ id, label, metadata, revision, rows }, { seq }): ItemAnswer => ({
        id,
        label,
        metadata,
        revision,
        rows: rows.map(({ kind, box, score, className }) => ({
          kind,
          box,
          score,
          class: className
        })),
        ...pictureLinks(pathParameter(req, 'c'), id),
        index_seq: seq
      })
    )
    res.setHeader('x-index-seq', String(answer.index_seq))
    res.json(answer)
  }
})
