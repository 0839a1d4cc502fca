/**
 * GitHub's API for Apps as its documentation has it: it checks the signature and the times of an assertion.
 *
 * https://docs.github.com/rest/apps/apps, reference/auth.md section 8
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto"
import * as Effect from "effect/Effect"
import { type Answer, type Asked, serve, type silence } from "./loopback.ts"

const generated = generateKeyPairSync("rsa", { modulusLength: 2048 })

/** The key of the App `7`, as GitHub gives it out (PKCS#1) and as other tools write it. */
export const privateKeys = {
  "PKCS#1": generated.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
  "PKCS#8": generated.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
}

export interface Options {
  /** What it gives out, by the number of the issue. */
  readonly token: (issue: number) => string
  /** Its clock, in milliseconds. */
  readonly now?: () => number
  /** Installations by the account's path, as `orgs/acme`. */
  readonly installations?: Readonly<Record<string, number>>
  /** Answers instead of it. */
  readonly instead?: (asked: Asked) => Answer | typeof silence | Promise<Answer> | undefined
  readonly publicKey?: KeyObject
}

const HOUR = 3_600_000

const decoded = (part = ""): unknown => JSON.parse(Buffer.from(part, "base64url").toString())

export interface Claims {
  readonly iat: number
  readonly exp: number
  readonly iss: string
}

export const claimsOf = (asked: Asked | undefined): Claims =>
  decoded(asked?.headers.authorization?.split(".")[1]) as Claims

/** What is wrong with an assertion, in GitHub's words. */
const refusal = (asked: Asked, publicKey: KeyObject, now: number): string | undefined => {
  const [header, payload, signature] = (asked.headers.authorization ?? "").replace(/^Bearer /i, "").split(".")
  if (header === undefined || payload === undefined || signature === undefined) return "Requires authentication"
  const isSigned = verify("sha256", Buffer.from(`${header}.${payload}`), publicKey, Buffer.from(signature, "base64url"))
  const { exp, iat, iss } = decoded(payload) as Claims
  if (!isSigned || iss !== "7") return "A JSON web token could not be decoded"
  if (iat > now / 1000)
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
  return exp > now / 1000 && exp <= now / 1000 + 600
    ? undefined
    : "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires"
}

/** Listens until the scope closes. */
export const make = (options: Options) => {
  const { installations = { "orgs/acme": 42 }, now = () => 0 } = options
  const publicKey = options.publicKey ?? createPublicKey(generated.privateKey)
  let issues = 0
  return Effect.map(
    serve((asked) => {
      const instead = options.instead?.(asked)
      if (instead !== undefined) return instead
      const date = { date: new Date(now()).toUTCString() }
      const refused = (status: number, message: string): Answer => ({ status, headers: date, body: { message } })
      if (asked.headers["user-agent"] === undefined) return refused(403, "Request forbidden by administrative rules.")
      const wrong = refusal(asked, publicKey, now())
      if (wrong !== undefined) return refused(401, wrong)
      const account = /^\/api\/v3\/(.*)\/installation$/.exec(asked.path)?.[1]
      if (account !== undefined) {
        const id = installations[account]
        return id === undefined ? refused(404, "Not Found") : { status: 200, body: { id, app_slug: "pusher" } }
      }
      const id = Number(/^\/api\/v3\/app\/installations\/(\d+)\/access_tokens$/.exec(asked.path)?.[1])
      if (asked.method !== "POST" || !Object.values(installations).includes(id))
        return refused(404, "Integration not found")
      return {
        status: 201,
        body: {
          token: options.token(++issues),
          expires_at: new Date(now() + HOUR).toISOString().replace(".000", ""),
          permissions: JSON.parse(asked.body).permissions,
          repository_selection: "all"
        }
      }
    }),
    ({ host, requests }) => ({
      apiUrl: `http://${host}/api/v3`,
      requests,
      /** How many tokens it was asked for. */
      issues: () => requests.filter(({ method }) => method === "POST").length
    })
  )
}
