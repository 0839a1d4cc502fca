/**
 * Azure as far as its registry needs it, on loopback, in the wire forms of reference/auth.md section 6: the login service
 * of Entra, the machine's managed identity, and a registry's own exchange of tokens. Each answers well until it is told
 * otherwise.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { listen } from "../../scripts/lib/stack/internal/listen.ts"

/** `token` is Entra's, `identity` the machine's, `metadata` what a login service says of itself. */
export type Action = "token" | "metadata" | "identity" | "exchange" | "other"

export interface Asked {
  readonly action: Action
  readonly method: string
  /** Whom the request was for, before it was led to loopback. */
  readonly host: string
  readonly path: string
  /** Of the query and of the body. */
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: http.IncomingHttpHeaders
}

export type Answer =
  | { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  /** Takes the request and says nothing. */
  | "silence"

export const jsonAnswer = (body: unknown, status = 200): Answer => ({ status, body: JSON.stringify(body) })

/** As Entra refuses: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
export const entraError = (error: string, description: string, status = 400): Answer =>
  jsonAnswer(
    {
      error,
      error_description: `${description} Trace ID: 0b4a17c2 Correlation ID: 5e1c Timestamp: 2026-11-23 16:00:00Z`,
      error_codes: [Number(/^AADSTS(\d+)/.exec(description)?.[1] ?? 0)]
    },
    status
  )

export const registryError = (code: string, message: string, status: number): Answer =>
  jsonAnswer({ errors: [{ code, message, detail: null }] }, status)

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A JSON Web Token whose signature nobody looks at. */
export const webToken = (claims: unknown, signature: string) =>
  `${base64url({ alg: "RS256" })}.${base64url(claims)}.${signature}`

const actionOf = (path: string): Action => {
  if (path.endsWith("/oauth2/v2.0/token")) return "token"
  if (path.endsWith("/v2.0/.well-known/openid-configuration")) return "metadata"
  if (path === "/msi/token") return "identity"
  return path === "/oauth2/exchange" ? "exchange" : "other"
}

const authorityMetadata = ({ host, path }: Asked) => {
  const base = `https://${host}${path.slice(0, path.indexOf("/v2.0/"))}`
  return jsonAnswer({
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    token_endpoint: `${base}/oauth2/v2.0/token`,
    jwks_uri: `${base}/discovery/v2.0/keys`
  })
}

const LED = "/to/"

/** Who is asked for the machine's identity, by every fake in turn: the SDK keeps the first address that it is given. */
let machine: http.RequestListener = (request) => request.destroy()
const machineServer = http.createServer((request, response) => machine(request, response)).unref()

export const identityEndpoint = (): Promise<string> =>
  new Promise((resolve) => {
    const tell = () => resolve(`http://127.0.0.1:${(machineServer.address() as AddressInfo).port}/msi/token`)
    if (machineServer.listening) tell()
    else machineServer.listen(0, "127.0.0.1", tell)
  })

/** A certificate of this moment, which nobody trusts. */
const certificate = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gantry-azure-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
).pipe(
  Effect.map((folder) => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    const files = ["-keyout", key, "-out", cert]
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...subject], {
      stdio: "ignore"
    })
    return { path: cert, key: readFileSync(key), cert: readFileSync(cert) }
  })
)

/** A server of its own for each scope, closed with every connection that is left. */
export const fakeAzure = Effect.gen(function* () {
  const asked: Array<Asked> = []
  const answers = new Map<Action, (asked: Asked) => Answer | Promise<Answer>>([["metadata", authorityMetadata]])
  let abandoned = 0
  const down = new Set<string>()
  const answerTo: http.RequestListener = (request, response) => {
    const parts: Array<Buffer> = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("end", async () => {
      const url = new URL(request.url ?? "/", "http://loopback")
      const led = url.pathname.startsWith(LED) ? url.pathname.slice(LED.length) : undefined
      const path = led === undefined ? url.pathname : led.slice(led.indexOf("/"))
      const question: Asked = {
        action: actionOf(path),
        method: request.method ?? "",
        host: led === undefined ? (request.headers.host ?? "") : led.slice(0, led.indexOf("/")),
        path,
        parameters: Object.fromEntries([...url.searchParams, ...new URLSearchParams(Buffer.concat(parts).toString())]),
        headers: request.headers
      }
      asked.push(question)
      const answer = (await answers.get(question.action)?.(question)) ?? { status: 404, body: "nobody is here" }
      if (answer === "silence") {
        request.socket.on("close", () => abandoned++)
        return
      }
      response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
      response.end(answer.body)
    })
  }
  const url = `http://127.0.0.1:${yield* Effect.orDie(listen(http.createServer(answerTo), 0))}`
  machine = (request, response) => (down.has("the machine") ? void request.destroy() : answerTo(request, response))

  /** The network in which every https host is this server. */
  const lead = (request: HttpClientRequest.HttpClientRequest) => {
    const { host, pathname, protocol } = new URL(request.url)
    if (down.has(host)) return HttpClientRequest.setUrl(request, "http://127.0.0.1:2/")
    if (protocol === "https:")
      return HttpClientRequest.setUrl(request, `${url}${LED}${host}${pathname}${new URL(request.url).search}`)
    return request
  }
  const network: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
    Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, HttpClient.mapRequest(lead))),
    FetchHttpClient.layer
  )
  /** Its address over TLS, and the file of the certificate to trust there. */
  const tls = Effect.map(
    Effect.flatMap(certificate, (certificate) =>
      Effect.zip(Effect.orDie(listen(https.createServer(certificate, answerTo), 0)), Effect.succeed(certificate.path))
    ),
    ([port, path]) => ({ url: `https://127.0.0.1:${port}`, certificate: path })
  )
  return {
    url,
    tls,
    network,
    asked,
    actions: () => asked.map(({ action }) => action),
    /** How many requests to which it said nothing were taken back. */
    abandoned: () => abandoned,
    /** Lets nobody be at a host any more, or `the machine`. */
    takeDown: (host: string) => void down.add(host),
    answer: (action: Action, answer: Answer | ((asked: Asked) => Answer | Promise<Answer>)) => {
      answers.set(action, typeof answer === "function" ? answer : () => answer)
    }
  }
})
