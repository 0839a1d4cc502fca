import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { expiryAt, SCOPE, type Session } from "./gcpClient.ts"
import { CONNECTOR, fromQuestion, fromSearch, incompleteAnswer } from "./gcpFailure.ts"
import { tokenText } from "./givenToken.ts"
import { load, type OptionalPeer } from "./optionalPeer.ts"

const peer: OptionalPeer<typeof import("google-auth-library")> = {
  name: "google-auth-library",
  range: ">=9.15 <12",
  load: () => import("google-auth-library")
}

/**
 * The identity of the machine: a file that `GOOGLE_APPLICATION_CREDENTIALS` names or gcloud wrote, or the metadata server.
 * With a project the library does not look for one, which it would run gcloud for; an access token has none. Its questions
 * can not be taken back: they end by themselves.
 */
export const defaultCredentials = Effect.fnUntraced(function* (resource: string) {
  const { GoogleAuth } = yield* load(CONNECTOR, peer)
  const issuedAt = yield* DateTime.now
  const client = yield* Effect.tryPromise({
    try: () => new GoogleAuth({ scopes: [SCOPE], projectId: "none" }).getClient(),
    catch: (error) => fromSearch(error, resource)
  })
  const { token } = yield* Effect.tryPromise({
    try: () => client.getAccessToken(),
    catch: (error) => fromQuestion(error, resource)
  })
  if (typeof token !== "string" || !tokenText.test(token)) return yield* incompleteAnswer(resource, "access token")
  const session: Session = {
    token: Redacted.make(token),
    expiry: expiryAt(client.credentials.expiry_date ?? undefined, issuedAt)
  }
  return session
})
