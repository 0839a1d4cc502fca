import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { RegistryRequest, RegistryResponse } from "../../distribution/RegistryHttp.ts"
import type { TestAuthentication, TestUser } from "../TestRegistry.ts"
import { answer, json, refuse } from "./registryAnswer.ts"

type Action = "pull" | "push"

interface Grant {
  readonly access: ReadonlyArray<{
    readonly type: string
    readonly name: string
    readonly actions: ReadonlyArray<string>
  }>
  readonly expiresAt: number
}

/** Who may do what, and the tokens that say so. */
export interface Access {
  /** The answer that refuses a request; none when it is allowed. */
  readonly check: (
    request: RegistryRequest,
    needed: { readonly repository: string; readonly action: Action } | undefined,
    now: number
  ) => Option.Option<RegistryResponse>
  /** The token server's answer. */
  readonly token: (request: RegistryRequest, now: number) => RegistryResponse
  readonly revokeTokens: () => void
}

const anybody: TestUser = { username: "", password: Redacted.make(""), actions: [] }

const credentialsOf = ({ authorization }: RegistryRequest, scheme: string): Option.Option<string> => {
  const value = authorization === undefined ? "" : Redacted.value(authorization)
  return value.startsWith(`${scheme} `) ? Option.some(value.slice(scheme.length + 1)) : Option.none()
}

const decodeBasic = (encoded: string): readonly [username: string, password: string] => {
  const text = Either.getOrElse(Encoding.decodeBase64String(encoded), () => "")
  const colon = text.indexOf(":")
  return [text.slice(0, Math.max(0, colon)), text.slice(colon + 1)]
}

const unauthorized = (challenge: string): RegistryResponse =>
  refuse(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge })

const open: Access = {
  check: () => Option.none(),
  token: () => answer(404),
  revokeTokens: () => {}
}

const findUser = (
  users: ReadonlyArray<TestUser>,
  [username, password]: readonly [string, string]
): Option.Option<TestUser> =>
  Option.fromNullable(users.find((user) => user.username === username && Redacted.value(user.password) === password))

const basicAccess = (users: ReadonlyArray<TestUser>): Access => ({
  ...open,
  check: (request, needed) => {
    const user = Option.flatMap(credentialsOf(request, "Basic"), (encoded) => findUser(users, decodeBasic(encoded)))
    if (Option.isNone(user)) return Option.some(unauthorized(`Basic realm="test"`))
    return needed === undefined || user.value.actions.includes(needed.action)
      ? Option.none()
      : Option.some(refuse(403, "DENIED", "requested access to the resource is denied"))
  }
})

const isAction = (text: string): text is Action => text === "pull" || text === "push"

const tokenAccess = (options: Extract<TestAuthentication, { readonly type: "token" }>): Access => {
  const grants = new Map<string, Grant>()
  const identityTokens = new Map(
    options.users.flatMap((user) =>
      user.identityToken === undefined ? [] : [[Redacted.value(user.identityToken), user]]
    )
  )
  const lifetime = Duration.toMillis(options.lifetime ?? "5 minutes")
  let issued = 0

  const mint = (user: TestUser, scopes: ReadonlyArray<string>, now: number): string => {
    const access = scopes.flatMap((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":")
      const allowed = actions.split(",").filter((action) => isAction(action) && user.actions.includes(action))
      return [{ type, name, actions: allowed }]
    })
    const expiresAt = now + lifetime
    issued += 1
    const claims = { jti: String(issued), sub: user.username, exp: Math.floor(expiresAt / 1000), access }
    const token = `${Encoding.encodeBase64Url("{}")}.${Encoding.encodeBase64Url(JSON.stringify(claims))}.c2ln`
    grants.set(token, { access, expiresAt })
    return token
  }

  const userOf = (request: RegistryRequest, form: URLSearchParams): Option.Option<TestUser> => {
    if (request.method === "POST") return Option.fromNullable(identityTokens.get(form.get("refresh_token") ?? ""))
    const basic = credentialsOf(request, "Basic")
    return Option.isNone(basic)
      ? Option.some({ ...anybody, actions: options.anonymous ?? [] })
      : findUser(options.users, decodeBasic(basic.value))
  }

  return {
    check: (request, needed, now) => {
      const grant = Option.filter(
        Option.flatMapNullable(credentialsOf(request, "Bearer"), (token) => grants.get(token)),
        ({ expiresAt }) => now < expiresAt
      )
      const isAllowed = Option.exists(
        grant,
        ({ access }) =>
          needed === undefined ||
          access.some(({ actions, name }) => name === needed.repository && actions.includes(needed.action))
      )
      if (isAllowed) return Option.none()
      const scope =
        needed === undefined
          ? ""
          : `,scope="repository:${needed.repository}:${needed.action === "push" ? "pull,push" : "pull"}"`
      const error = Option.isSome(grant) ? `,error="insufficient_scope"` : ""
      const realm = `Bearer realm="${new URL("/token", request.url).href}",service="${request.url.host}"`
      return Option.some(unauthorized(`${realm}${scope}${error}`))
    },
    token: (request, now) => {
      const body = request.body === undefined ? "" : new TextDecoder().decode(Redacted.value(request.body))
      const form = request.method === "POST" ? new URLSearchParams(body) : request.url.searchParams
      const user = userOf(request, form)
      if (Option.isNone(user)) return refuse(401, "UNAUTHORIZED", "incorrect username or password")
      const token = mint(
        user.value,
        form.getAll("scope").flatMap((scope) => scope.split(" ")),
        now
      )
      return json(200, {
        token,
        access_token: token,
        expires_in: lifetime / 1000,
        issued_at: DateTime.formatIso(DateTime.unsafeMake(now))
      })
    },
    revokeTokens: () => grants.clear()
  }
}

export const makeAccess = (authentication: TestAuthentication): Access => {
  switch (authentication.type) {
    case "open":
      return open
    case "basic":
      return basicAccess(authentication.users)
    case "token":
      return tokenAccess(authentication)
  }
}
