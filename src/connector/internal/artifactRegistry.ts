import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ask, type Session } from "./gcpClient.ts"
import { incompleteAnswer } from "./gcpFailure.ts"
import { parse } from "./gcpRegistry.ts"

const Page = Schema.Struct({
  repositories: Schema.optionalWith(Schema.Array(Schema.Struct({ name: Schema.String, format: Schema.String })), {
    default: () => []
  }),
  nextPageToken: Schema.optional(Schema.String)
})

/** Where repositories of Artifact Registry are listed, and with what. */
export interface Place {
  readonly endpoint: string
  readonly project: string
  readonly location: string
}

/** https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/list */
const page = ({ endpoint, location, project }: Place, { token }: Session, pageToken: string | undefined) => {
  const resource = `projects/${project}/locations/${location}`
  const request = HttpClientRequest.get(`${endpoint}/v1/${resource}/repositories`, {
    urlParams: { pageSize: 1000, pageToken }
  })
  const advice = "give the identity the role Artifact Registry Reader (roles/artifactregistry.reader)"
  return ask(HttpClientRequest.bearerToken(request, token), Page, { resource, secrets: [token], advice })
}

/** The ids of a location's repositories for images. */
export const repositories = Effect.fnUntraced(function* (place: Place, session: Session) {
  const every = yield* Stream.runCollect(
    Stream.paginateChunkEffect(undefined as string | undefined, (pageToken) =>
      Effect.map(page(place, session, pageToken), ({ nextPageToken, repositories }) => [
        Chunk.unsafeFromArray(repositories),
        Option.filter(Option.fromNullable(nextPageToken), (token) => token !== "")
      ])
    )
  )
  return yield* Effect.forEach(
    Chunk.filter(every, ({ format }) => format === "DOCKER"),
    ({ name }) =>
      Either.mapBoth(parse(name), {
        onLeft: () => incompleteAnswer(`projects/${place.project}`, "name of a repository"),
        onRight: ({ id }) => id
      })
  )
})
