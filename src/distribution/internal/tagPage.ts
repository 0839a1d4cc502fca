import * as Chunk from "effect/Chunk"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { RegistryResponse } from "../RegistryHttp.ts"

const TagList = Schema.parseJson(Schema.Struct({ tags: Schema.NullOr(Schema.Array(Schema.String)) }))

/** `</v2/app/tags/list?last=b&n=2>; rel="next"`: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
const nextLink = (response: RegistryResponse): Option.Option<string> =>
  Option.fromNullable(
    (response.headers["link"] ?? [])
      .map((value) => /^\s*<([^<>]*)>[^<>]*;\s*rel="?next"?/i.exec(value)?.[1])
      .find((target) => target !== undefined)
  )

const nextPage = (response: RegistryResponse, url: URL): Either.Either<Option.Option<URL>, string> =>
  Option.match(nextLink(response), {
    onNone: () => Either.right(Option.none()),
    onSome: (link) => {
      const target = URL.canParse(link, url.href) ? new URL(link, url.href) : undefined
      if (target?.hostname !== url.hostname) return Either.left("goes on at another host")
      const next = new URL(`${target.pathname}${target.search}`, url)
      return next.href === url.href ? Either.left("goes on at itself") : Either.right(Option.some(next))
    }
  })

/** One page of tags, and where the next one is. Fails with what is wrong with it. */
export const readTagPage = (
  response: RegistryResponse,
  url: URL
): Either.Either<readonly [Chunk.Chunk<string>, Option.Option<URL>], string> =>
  Either.gen(function* () {
    const next = yield* nextPage(response, url)
    const { tags } = yield* Either.mapLeft(
      Schema.decodeEither(TagList)(new TextDecoder().decode(response.body)),
      () => "can not be read"
    )
    return [Chunk.fromIterable(tags ?? []), next] as const
  })
