/**
 * Bearer tokens of one identity at one registry: asked for once, shared, and renewed before they end.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Credential } from "../credential/Credential.ts"
import { unavailable } from "./internal/exchange.ts"
import { allowTarget, originOf, type RegistryOrigin } from "./internal/networkPolicy.ts"
import { makeOwner, type Owner } from "./internal/owner.ts"
import { mergeScopes } from "./internal/scope.ts"
import { makeTokenIssuer } from "./internal/tokenIssuer.ts"
import type { RegistryError } from "./RegistryError.ts"
import { RegistryUnavailable } from "./RegistryError.ts"
import type { RegistryTls } from "./RegistryHttp.ts"

/**
 * What a token allows on one resource, such as `push` on the repository `acme/app`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Access {
  readonly type: string
  readonly name: string
  readonly actions: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Token {
  readonly value: Redacted.Redacted
  /** The token is renewed before it is used from here on, while it is still good; milliseconds since the epoch. */
  readonly renewAt: number
  /** What it allows, when it says so. */
  readonly granted: Option.Option<ReadonlyArray<Access>>
}

/**
 * What a registry's challenge asks for: a token of `service`, from the token server at `realm`, for `scopes` with the
 * needed one first.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenRequest {
  readonly realm: string
  readonly service: Option.Option<string>
  readonly scopes: ReadonlyArray<string>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface TokenSource {
  /**
   * A token that is good now. Fails when the token server refuses, and with `RegistryUnavailable` (`address`), before
   * anything is sent, when the realm is no place for this registry's credential.
   */
  readonly get: (request: TokenRequest) => Effect.Effect<Token, RegistryError>
  /** Forgets a token that the registry refused; a newer one in its place stays. */
  readonly discard: (token: Token) => Effect.Effect<void>
}

interface Entry {
  readonly issued: Deferred.Deferred<Token, RegistryError>
  /** Absent while it is being issued. */
  token: Token | undefined
}

const MAXIMUM_TOKENS = 256

/** @internal */
export const fromOwner = (
  owner: Owner,
  registry: RegistryOrigin,
  credential: Option.Option<Credential>
): TokenSource => {
  const issue = makeTokenIssuer(owner.http, registry, credential)
  // In the order of their making. Looking and making are one synchronous step: reference/effect.md section 4.2.
  const entries = new Map<string, Entry>()

  const forgetOldest = (): void => {
    for (const [key, entry] of entries) {
      if (entries.size < MAXIMUM_TOKENS) return
      if (entry.token !== undefined) entries.delete(key)
    }
  }

  const start = (key: string, realm: URL, request: TokenRequest): Entry => {
    const entry: Entry = { issued: Deferred.unsafeMake(FiberId.none), token: undefined }
    entries.delete(key)
    forgetOldest()
    entries.set(key, entry)
    const settle = (exit: Exit.Exit<Token, RegistryError>) =>
      Effect.sync(() => {
        if (Exit.isSuccess(exit)) entry.token = exit.value
        else if (entries.get(key) === entry) entries.delete(key)
      })
    owner.fork(issue({ ...request, realm }).pipe(Effect.onExit(settle), Effect.intoDeferred(entry.issued)))
    return entry
  }

  const get = Effect.fn("TokenSource.get")(function* (request: TokenRequest) {
    const realm = yield* Either.mapLeft(allowTarget(registry, request.realm, registry.url), (reason) =>
      unavailable(
        registry,
        "address",
        `It names a token server to which gantry does not send this registry's credential: ${reason}`
      )
    )
    const scopes = mergeScopes(request.scopes)
    const key = JSON.stringify([realm.href, request.service, [...scopes].sort()])
    const now = yield* Clock.currentTimeMillis
    const known = entries.get(key)
    const entry =
      known !== undefined && (known.token === undefined || now < known.token.renewAt)
        ? known
        : start(key, realm, { ...request, scopes })
    return yield* Deferred.await(entry.issued)
  })

  const discard = (token: Token): Effect.Effect<void> =>
    Effect.sync(() => {
      for (const [key, entry] of entries) {
        if (entry.token === token) entries.delete(key)
      }
    })

  return { get, discard }
}

/**
 * The tokens of one identity at one registry. A credential is sent to a token server only over HTTPS (plain HTTP where
 * the registry itself is plain HTTP on loopback or the same host), never to an address inside a network that the registry
 * is not in. Identity tokens are exchanged by POST, by GET where the server knows no POST; a rotated one replaces its
 * predecessor.
 *
 * Fails with `RegistryUnavailable` when `host` is none.
 *
 * Source: https://distribution.github.io/distribution/spec/auth/token/, https://distribution.github.io/distribution/spec/auth/oauth/
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = Effect.fn("TokenSource.make")(function* (options: {
  readonly host: string
  readonly tls?: RegistryTls | undefined
  readonly credential: Option.Option<Credential>
}): Effect.fn.Return<TokenSource, RegistryUnavailable, Scope.Scope> {
  const registry = yield* Either.mapLeft(
    originOf(options.host, options.tls),
    (text) => new RegistryUnavailable({ registry: options.host, reason: "address", text })
  )
  return fromOwner(yield* makeOwner, registry, options.credential)
})
