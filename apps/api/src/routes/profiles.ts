// GET /v1/profiles, GET and PUT /v1/profiles/:profile, GET of the projection. Learned projections
// are kept by name and version in the store, where embed-workers find them.
import type { Request } from 'express'
import {
  learnedNameSchema,
  type ProfileDraft,
  profileDraftSchema,
  profileSchema,
  profileVersionOf
} from '@likeness/shared/contract/profile'
import { joinProjection, projectionBytes } from '@likeness/shared/contract/projection'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { shownName } from '../http/form-fields.ts'
import { readIntoMemory } from '../http/held-bytes.ts'
import { parseJsonField } from '../http/json-field.ts'
import { readMultipart } from '../http/multipart.ts'
import { isMultipart, parseRequest } from '../http/request-body.ts'
import { pathParameter, type Route } from '../http/route.ts'
import { answerOnce, requestKey } from '../idempotency/answer-once.ts'

const path = '/v1/profiles/:profile'
/**
 * Largest projection file in bytes. 4096 x 65 537 numbers would be a gigabyte; a projection learned
 * from some hundred pictures is far smaller.
 */
const maxBytes = 256 * 1024 * 1024

export const listProfiles = ({ profiles }: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/profiles',
  async handle(_req, res) {
    res.json({ profiles: await profiles.list() })
  }
})

export const getProfile = ({ profiles }: ApiDeps): Route => ({
  method: 'get',
  path,
  async handle(req, res) {
    res.json(await profiles.resolve(pathParameter(req, 'profile')))
  }
})

export const getProjection = ({ profiles }: ApiDeps): Route => ({
  method: 'get',
  path: `${path}/projection`,
  async handle(req, res) {
    const values = joinProjection(
      await profiles.readProjection(await profiles.resolve(pathParameter(req, 'profile')))
    )
    res.setHeader('content-type', 'application/octet-stream')
    res.send(Buffer.from(values.buffer))
  }
})

interface ReceivedProfile {
  draft: ProfileDraft
  projection: Uint8Array
}

/** Reads the description first, so that the length of the file is known before the file is read. */
async function receiveProfile(req: Request): Promise<ReceivedProfile> {
  let draft: ProfileDraft | undefined
  let projection: Uint8Array | undefined
  await readMultipart(
    req,
    { files: 1, fields: 1, fieldBytes: 16 * 1024 },
    {
      onField: (name, text) => {
        if (name !== 'profile')
          throw appError('invalid_request', `unknown field ${shownName(name)}; known is profile`)
        draft = parseRequest(profileDraftSchema, parseJsonField(name, text))
      },
      onFile: async (name, stream) => {
        if (name !== 'projection' || draft === undefined)
          throw appError('invalid_request', 'give the field `profile`, then the file `projection`')
        const most = Math.min(maxBytes, projectionBytes(draft))
        projection = await readIntoMemory(req, stream, {
          maxBytes: most,
          tooLarge: () => appError('invalid_request', `projection: it has more than ${most} bytes`)
        })
      }
    }
  )
  if (draft === undefined || projection === undefined)
    throw appError('invalid_request', 'give the field `profile`, then the file `projection`')
  return { draft, projection }
}

export const putProfile = (deps: ApiDeps): Route => ({
  method: 'put',
  path,
  async handle(req, res) {
    if (!isMultipart(req))
      throw appError('unsupported_media_type', 'send content-type: multipart/form-data')
    requestKey(req)
    const name = pathParameter(req, 'profile')
    const named = learnedNameSchema.safeParse(name)
    if (!named.success)
      throw appError(
        'invalid_name',
        `${JSON.stringify(name)} is not a name that a profile can have: ${named.error.issues[0]!.message}`
      )
    const { draft, projection } = await receiveProfile(req)
    if (sha256Hex(projection) !== draft.sha256)
      throw appError('invalid_request', 'projection: it does not match its sha256')
    await answerOnce(deps, req, res, {
      content: [name, draft],
      intentSchema: profileSchema,
      prepare: async () => ({
        name,
        version: profileVersionOf(draft),
        ...draft,
        created_at: new Date(deps.clock.nowMs()).toISOString()
      }),
      act: async (profile) => {
        await deps.profiles.save(profile, projection)
        return { status: 201, body: { ...profile } }
      }
    })
  }
})
