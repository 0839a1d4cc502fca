/**
 * A token server for registries with token authentication: `GET` with Basic and OAuth2's `POST`, refresh tokens, and
 * tokens signed with a certificate that travels in the token (`x5c`, the one form that registry 2.8 and 3.x both take).
 *
 * https://distribution.github.io/distribution/spec/auth/token/, reference/auth.md section 11a
 */
import { execFile } from "node:child_process"
import { createPrivateKey, createSign, randomUUID, X509Certificate } from "node:crypto"
import { appendFile, mkdir, readFile } from "node:fs/promises"
import * as http from "node:http"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { attempt } from "./internal/daemon.ts"
import { listen } from "./internal/listen.ts"
import * as LabUser from "./LabUser.ts"
import type { StackError } from "./StackError.ts"

/** A request to the token server, without its secrets. */
const TokenRequest = Schema.Struct({
  method: Schema.String,
  /** `basic`, `password`, `refresh_token` or `anonymous`. */
  grant: Schema.String,
  scopes: Schema.Array(Schema.String),
  status: Schema.Number
})

export type TokenRequest = typeof TokenRequest.Type

export interface TokenServerOptions {
  /** Seconds a token lives. A registry accepts it for 60 s more: reference/auth.md section 11a. */
  readonly lifetimeSeconds?: number | undefined
  /** Answers `offline_token=true` with a refresh token, as identity-token logins need; on by default. */
  readonly refreshTokens?: "offered" | "never" | undefined
  readonly port?: number | undefined
}

export interface TokenServer {
  readonly folder: string
  readonly port: number
  /** The URL that a registry names in `WWW-Authenticate`. */
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** PEM file of the certificate that a registry has to trust. */
  readonly certificate: string
  /** What was asked so far, oldest first. */
  readonly requests: Effect.Effect<ReadonlyArray<TokenRequest>, StackError>
}

const service = "gantry-stack"
const issuer = "gantry-stack-tokens"
const keyFile = (folder: string) => join(folder, "token.key")
const certificateFile = (folder: string) => join(folder, "token.crt")
const requestsFile = (folder: string) => join(folder, "requests.ndjson")

/** The token server that keeps its files in `folder` and listens on `port`, in this process or another. */
export const at = (folder: string, port: number): TokenServer => ({
  folder,
  port,
  realm: `http://127.0.0.1:${port}/token`,
  service,
  issuer,
  certificate: certificateFile(folder),
  requests: attempt(() => readFile(requestsFile(folder), "utf8")).pipe(
    Effect.map((text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => Schema.decodeUnknownSync(Schema.parseJson(TokenRequest))(line))
    )
  )
})

interface Access {
  readonly type: string
  readonly name: string
  readonly actions: ReadonlyArray<string>
}

/** `repository:lab/app:pull,push`; the name may hold colons of its own. */
const parseScope = (scope: string): Access => {
  const first = scope.indexOf(":")
  const last = scope.lastIndexOf(":")
  return {
    type: scope.slice(0, first),
    name: scope.slice(first + 1, last),
    actions: scope.slice(last + 1).split(",")
  }
}

const grantAccess = (user: LabUser.LabUser | undefined, scopes: ReadonlyArray<string>): ReadonlyArray<Access> => {
  const allowed: ReadonlyArray<string> = user?.actions ?? []
  return scopes.map(parseScope).map((access) => ({
    ...access,
    actions:
      access.type === "registry"
        ? user === LabUser.dev
          ? access.actions
          : []
        : access.actions.filter((action) => allowed.includes(action))
  }))
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

type Mint = (user: LabUser.LabUser | undefined, scopes: ReadonlyArray<string>, issuedAt: number) => string

const makeMint = (privateKey: string, certificate: string, lifetimeSeconds: number): Mint => {
  const key = createPrivateKey(privateKey)
  const header = { typ: "JWT", alg: "RS256", x5c: [new X509Certificate(certificate).raw.toString("base64")] }
  return (user, scopes, issuedAt) => {
    const claims = {
      iss: issuer,
      sub: user?.username ?? "",
      aud: service,
      iat: issuedAt,
      nbf: issuedAt - 10,
      exp: issuedAt + lifetimeSeconds,
      jti: randomUUID(),
      access: grantAccess(user, scopes)
    }
    const input = `${base64url(header)}.${base64url(claims)}`
    return `${input}.${createSign("SHA256").update(input).sign(key, "base64url")}`
  }
}

interface Presented {
  readonly grant: string
  /** `undefined`: what was presented is wrong. */
  readonly user: LabUser.LabUser | "nobody" | undefined
}

const withPassword = (username: string | null | undefined, password: string | null | undefined) =>
  LabUser.all.find((user) => user.username === username && user.password === password)

const presented = (
  request: http.IncomingMessage,
  parameters: URLSearchParams,
  refreshTokens: ReadonlyMap<string, LabUser.LabUser>
): Presented => {
  const authorization = request.headers.authorization
  if (request.method === "POST" && parameters.get("grant_type") === "refresh_token") {
    return { grant: "refresh_token", user: refreshTokens.get(parameters.get("refresh_token") ?? "") }
  }
  if (request.method === "POST") {
    return { grant: "password", user: withPassword(parameters.get("username"), parameters.get("password")) }
  }
  if (authorization?.startsWith("Basic ")) {
    const [, username, password] =
      Buffer.from(authorization.slice("Basic ".length), "base64")
        .toString()
        .match(/^([^:]*):(.*)$/s) ?? []
    return { grant: "basic", user: withPassword(username, password) }
  }
  return { grant: "anonymous", user: "nobody" }
}

const makeHandler = (
  folder: string,
  mint: Mint,
  options: TokenServerOptions & { readonly lifetimeSeconds: number }
) => {
  const refreshTokens = new Map<string, LabUser.LabUser>()
  const answer = (request: http.IncomingMessage, parameters: URLSearchParams) => {
    const scopes = parameters.getAll("scope").flatMap((scope) => scope.split(" ").filter((part) => part !== ""))
    const { grant, user } = presented(request, parameters, refreshTokens)
    if (user === undefined) {
      const errors = [{ code: "UNAUTHORIZED", message: "incorrect username or password" }]
      return { status: 401, body: { errors }, entry: { method: request.method ?? "", grant, scopes, status: 401 } }
    }
    const known = user === "nobody" ? undefined : user
    // The machine's time whatever clock a test runs on: a registry compares it with its own.
    const issuedAt = Math.floor(Date.now() / 1000)
    const token = mint(known, scopes, issuedAt)
    const wantsRefresh = parameters.get("offline_token") === "true" || parameters.get("access_type") === "offline"
    const refreshToken =
      known !== undefined && wantsRefresh && options.refreshTokens !== "never"
        ? (parameters.get("refresh_token") ?? randomUUID())
        : undefined
    if (known !== undefined && refreshToken !== undefined) {
      refreshTokens.set(refreshToken, known)
    }
    const body = {
      token,
      access_token: token,
      expires_in: options.lifetimeSeconds,
      issued_at: new Date(issuedAt * 1000).toISOString(),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(request.method === "POST" ? { scope: scopes.join(" ") } : {})
    }
    return { status: 200, body, entry: { method: request.method ?? "", grant, scopes, status: 200 } }
  }
  return async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://token-server")
    let form = ""
    for await (const chunk of request.setEncoding("utf8")) {
      form += chunk
    }
    if (url.pathname !== "/token") {
      response.writeHead(404).end()
      return
    }
    const { status, body, entry } = answer(
      request,
      request.method === "POST" ? new URLSearchParams(form) : url.searchParams
    )
    await appendFile(requestsFile(folder), `${JSON.stringify(entry)}\n`)
    response.writeHead(status, {
      "content-type": "application/json",
      ...(status === 401 ? { "www-authenticate": 'Basic realm="gantry-stack"' } : {})
    })
    response.end(JSON.stringify(body))
  }
}

const makeCertificate = (folder: string) =>
  attempt(async () => {
    const subject = ["-nodes", "-days", "30", "-subj", "/CN=gantry-stack"]
    const files = ["-keyout", keyFile(folder), "-out", certificateFile(folder)]
    await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...subject, ...files])
  })

/** Serves tokens from this process until the scope closes; its key, certificate and log of requests are in `folder`. */
export const serve = (
  folder: string,
  options: TokenServerOptions = {}
): Effect.Effect<TokenServer, StackError, Scope.Scope> =>
  Effect.gen(function* () {
    const lifetimeSeconds = options.lifetimeSeconds ?? 60
    yield* attempt(() => mkdir(folder, { recursive: true }))
    yield* makeCertificate(folder)
    yield* attempt(() => appendFile(requestsFile(folder), ""))
    const [key, certificate] = yield* attempt(() =>
      Promise.all([readFile(keyFile(folder), "utf8"), readFile(certificateFile(folder), "utf8")])
    )
    const handler = makeHandler(folder, makeMint(key, certificate, lifetimeSeconds), { ...options, lifetimeSeconds })
    const server = http.createServer((request, response) => {
      handler(request, response).catch(() => response.destroy())
    })
    return at(folder, yield* listen(server, options.port ?? 0))
  })
