/**
 * Azure Container Registry: a real docker-registry, before which stand the two ends of ACR's own login service
 * (reference/auth.md section 11c). `/oauth2/exchange` gives refresh tokens for Entra tokens, `/oauth2/token` access tokens
 * for refresh tokens.
 */
import * as Effect from "effect/Effect"
import * as LabUser from "../../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../../scripts/lib/stack/Stack.ts"
import { type Answer, type Asked, fakeAzure, jsonAnswer, registryError, webToken } from "../../support/fakeAzure.ts"

/** In words of its own: an engine asks again for 50 seconds when they are the specification's (reference/engine.md, fact 9). */
const refused = registryError(
  "UNAUTHORIZED",
  "authentication required, visit https://aka.ms/acr/authorization for more information.",
  401
)

/** Every exchange and every refusal of a refresh token are counted. */
export const fakeAcr = Effect.fnUntraced(function* (options: {
  /** The tenant whose identities it lets in. */
  readonly tenant: string
  /** Milliseconds that a refresh token says it lasts. */
  readonly lifetime: number
  /** Milliseconds before that after which it is refused already. */
  readonly refusedBefore?: number
}) {
  const azure = yield* fakeAzure
  const tokens = yield* Stack.tokenServer()
  const registry = yield* Stack.registry({ ...tokens, realm: `${azure.url}/oauth2/token` })
  const entraToken = webToken({ exp: 4_000_000_000 }, "entra")
  /** When each refresh token is refused. */
  const ends = new Map<string, number>()
  const counts = { exchanges: 0, refusals: 0 }

  const exchange = ({ parameters: { access_token, tenant } }: Asked): Answer => {
    if (access_token !== entraToken || (tenant ?? options.tenant) !== options.tenant) {
      return refused
    }
    counts.exchanges++
    const end = Date.now() + options.lifetime
    const token = webToken({ exp: end / 1000, jti: String(counts.exchanges) }, "refresh")
    ends.set(token, end - (options.refusedBefore ?? 0))
    return jsonAnswer({ refresh_token: token })
  }

  const refreshTokenOf = ({ headers, parameters }: Asked) => {
    const basic = Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString()
    return parameters["refresh_token"] ?? basic.slice("00000000-0000-0000-0000-000000000000:".length)
  }

  const accessToken = async (asked: Asked): Promise<Answer> => {
    if (!((ends.get(refreshTokenOf(asked)) ?? 0) > Date.now())) {
      counts.refusals++
      return refused
    }
    const query = new URLSearchParams({ service: tokens.service, scope: asked.parameters["scope"] ?? "" })
    const basic = Buffer.from(`${LabUser.dev.username}:${LabUser.dev.password}`).toString("base64")
    const answer = await fetch(`${tokens.realm}?${query}`, { headers: { authorization: `Basic ${basic}` } })
    const { access_token } = (await answer.json()) as { readonly access_token: string }
    return jsonAnswer({ access_token })
  }

  azure.answer("token", jsonAnswer({ token_type: "Bearer", expires_in: 3600, access_token: entraToken }))
  azure.answer("identity", jsonAnswer({ token_type: "Bearer", expires_on: "1", access_token: entraToken }))
  azure.answer("exchange", exchange)
  azure.answer("other", accessToken)
  return { azure, registry, counts }
})
