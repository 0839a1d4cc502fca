/**
 * Google's services as far as a registry's login needs them, on loopback, in their documented wire forms (reference/auth.md
 * section 7): the token endpoint of service accounts, the Security Token Service, the IAM Service Account Credentials API,
 * the Artifact Registry API and the metadata server. Each answers well until it is told otherwise.
 */
import { generateKeyPairSync, verify } from "node:crypto"
import * as Effect from "effect/Effect"
import { type Answer, type Asked, serve, type silence } from "./loopback.ts"

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

export const privateKeyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
export const email = "push@lab.iam.gserviceaccount.com"

/** A service account's key as Google gives it out, to be exchanged at this address. */
export const keyFile = (tokenUri: string, more: object = {}): string =>
  JSON.stringify({
    type: "service_account",
    project_id: "lab",
    private_key_id: "key-1",
    private_key: privateKeyPem,
    client_email: email,
    client_id: "1",
    auth_uri: "https://accounts.google.com/o/oauth2/auth",
    token_uri: tokenUri,
    ...more
  })

export type Action = "jwt-bearer" | "token-exchange" | "generateAccessToken" | "metadata" | "repositories"

const paths: ReadonlyArray<readonly [RegExp, Action]> = [
  [/^POST \/token$/, "jwt-bearer"],
  [/^POST \/v1\/token$/, "token-exchange"],
  [/^POST \/v1\/projects\/-\/serviceAccounts\/[^/]+:generateAccessToken$/, "generateAccessToken"],
  [/^GET \/computeMetadata\/v1\/instance\/service-accounts\/default\/token/, "metadata"],
  [/^GET \/v1\/projects\/[^/]+\/locations\/[^/]+\/repositories\?/, "repositories"]
]

const actionOf = ({ method, path }: Asked): Action | undefined =>
  paths.find(([form]) => form.test(`${method} ${path}`))?.[1]

export const formOf = ({ body }: Asked): Readonly<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(body))

const decoded = (part = ""): unknown => JSON.parse(Buffer.from(part, "base64url").toString())

export interface Claims {
  readonly iss: string
  readonly scope: string
  readonly aud: string
  readonly iat: number
  readonly exp: number
}

export const assertionOf = (asked: Asked): { readonly header: unknown; readonly claims: Claims } => {
  const [header, claims] = (formOf(asked)["assertion"] ?? "").split(".")
  return { header: decoded(header), claims: decoded(claims) as Claims }
}

export const oauthError = (error: string, error_description: string, status = 400): Answer => ({
  status,
  body: { error, error_description }
})

export const apiError = (status: string, message: string, code = 403): Answer => ({
  status: code,
  body: { error: { code, message, status } }
})

/** What is wrong with an assertion, in Google's words. */
const refusal = (asked: Asked, aud: string, now: number): Answer | undefined => {
  const [header, payload, signature = ""] = (formOf(asked)["assertion"] ?? "").split(".")
  const isSigned = verify("sha256", Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, "base64url"))
  if (!isSigned) return oauthError("invalid_grant", "Invalid JWT Signature.")
  const { claims } = assertionOf(asked)
  if (claims.iss !== email) return oauthError("invalid_grant", "Invalid grant: account not found")
  if (claims.aud !== aud) return oauthError("invalid_grant", "Invalid JWT: Failed audience check.")
  const isTimely = claims.iat <= now / 1000 && claims.exp > now / 1000 && claims.exp - claims.iat <= 3600
  return isTimely
    ? undefined
    : oauthError(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
      )
}

export interface Options {
  /** What it gives out. */
  readonly token: (action: Action) => string | Promise<string>
  /** Its clock, in milliseconds. */
  readonly now: () => number
  /** How long a token is good, in seconds: 3599 unless given. */
  readonly lifetime?: () => number
}

/** Listens until the scope closes. */
export const make = ({ lifetime = () => 3599, now, token }: Options) => {
  const answers = new Map<Action, (asked: Asked) => Answer | typeof silence>()
  const issued = async (action: Action) => ({
    access_token: await token(action),
    expires_in: lifetime(),
    token_type: "Bearer"
  })

  const well = async (action: Action, asked: Asked, host: string): Promise<Answer> => {
    switch (action) {
      case "jwt-bearer":
        return refusal(asked, `http://${host}/token`, now()) ?? { status: 200, body: await issued(action) }
      case "token-exchange":
        return {
          status: 200,
          body: { ...(await issued(action)), issued_token_type: "urn:ietf:params:oauth:token-type:access_token" }
        }
      case "generateAccessToken": {
        const expireTime = new Date(now() + lifetime() * 1000).toISOString().replace(".000", "")
        return { status: 200, body: { accessToken: await token(action), expireTime } }
      }
      case "metadata":
        return asked.headers["metadata-flavor"] === "Google"
          ? { status: 200, body: await issued(action) }
          : { status: 403, body: "Missing Metadata-Flavor:Google header." }
      case "repositories":
        return { status: 200, body: {} }
    }
  }

  return Effect.map(
    serve(async (asked, host) => {
      const action = actionOf(asked)
      if (action === undefined) return { status: 404, body: "<html>" }
      const answer = answers.get(action)?.(asked) ?? (await well(action, asked, host))
      if (answer === "silence") return answer
      // A connection is for one request: on a busy machine an idle one may close under the next.
      const headers = { date: new Date(now()).toUTCString(), "metadata-flavor": "Google", ...answer.headers }
      return { ...answer, headers: { connection: "close", "content-type": "application/json", ...headers } }
    }),
    ({ abandoned, host, requests }) => {
      const url = `http://${host}`
      return {
        host,
        tokenUri: `${url}/token`,
        endpoints: { sts: url, iamCredentials: url, artifactRegistry: url },
        requests,
        abandoned,
        actions: () => requests.map(actionOf),
        asked: (action: Action) => requests.filter((asked) => actionOf(asked) === action),
        answer: (action: Action, answer: Answer | typeof silence | ((asked: Asked) => Answer | typeof silence)) => {
          answers.set(action, typeof answer === "function" ? answer : () => answer)
        }
      }
    }
  )
}

export type Google = Effect.Effect.Success<ReturnType<typeof make>>
