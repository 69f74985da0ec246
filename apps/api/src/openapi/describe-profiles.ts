// Routes of profiles, for the OpenAPI document.
import { json } from './route-description.ts'
import type { RouteDescriptions } from './route-description.ts'

export const profileRoutes: RouteDescriptions = {
  'GET /v1/profiles': { tag: 'profiles', summary: 'List profiles, every version, newest first', answers: { 200: json('All of them.', 'ProfileList') } },
  'GET /v1/profiles/:profile': {
    tag: 'profiles',
    summary: 'What is known of a profile',
    answers: { 200: json('The version that is named, else the newest.', 'Profile') },
    codes: ['profile_not_found']
  },
  'PUT /v1/profiles/:profile': {
    tag: 'profiles',
    summary: 'Store a version of a profile',
    description: '`likeness profile learn` makes them. Its version is a part of the sha256 of its projection; earlier ones stay.',
    body: { 'multipart/form-data': 'ProfileForm' },
    idempotent: true,
    answers: { 201: json('Stored.', 'Profile') },
    codes: ['invalid_name']
  }
}
