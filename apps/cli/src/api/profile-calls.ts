// Calls for profiles.
import type { ProfileDraft, StoredProfile } from '@likeness/shared/contract/profile'
import { type Projection, splitProjection } from '@likeness/shared/contract/projection'
import { absentWhen } from './api-problem.ts'
import type { ApiRequest } from './api-request.ts'

export interface ProfileCalls {
  /** Lists every version, newest first. */
  listProfiles(): Promise<StoredProfile[]>
  /** `name` or `name@version`. Returns undefined when no such profile exists. */
  getProfile(reference: string): Promise<StoredProfile | undefined>
  getProjection(profile: StoredProfile): Promise<Projection>
  putProfile(name: string, draft: ProfileDraft, projection: Uint8Array): Promise<StoredProfile>
}

export function createProfileCalls({ request, answer }: ApiRequest): ProfileCalls {
  return {
    listProfiles: async () =>
      (await answer<{ profiles: StoredProfile[] }>('/v1/profiles')).profiles,
    getProfile: (reference) =>
      answer<StoredProfile>(`/v1/profiles/${encodeURIComponent(reference)}`).catch(
        absentWhen('profile_not_found')
      ),
    async getProjection(profile) {
      const { name, version } = profile
      const bytes = await (
        await request(`/v1/profiles/${encodeURIComponent(`${name}@${version}`)}/projection`)
      ).arrayBuffer()
      return splitProjection(new Float32Array(bytes), profile)
    },
    async putProfile(name, draft, projection) {
      const form = new FormData()
      form.set('profile', JSON.stringify(draft))
      form.set('projection', new Blob([new Uint8Array(projection)]), 'projection')
      return answer(`/v1/profiles/${encodeURIComponent(name)}`, { method: 'PUT', body: form })
    }
  }
}
