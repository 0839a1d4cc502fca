/**
 * A guard before an open registry that wants to be told secrets, and remembers each one it was told: the positive control
 * of the canary test. Passwords it asks for by a Basic challenge, everything else by a Bearer challenge whose token server
 * it is itself; whatever it is told, it lets in.
 */
import * as http from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { listen } from "../../../scripts/lib/stack/internal/listen.ts"

export interface Guard {
  readonly host: string
  /** All that was said to it: decoded user:password pairs, tokens, and the values of forms. */
  readonly told: Effect.Effect<ReadonlyArray<string>>
}

export interface GuardOptions {
  readonly target: string
  readonly challenge: "basic" | "bearer"
  /** The token that its token server gives out. */
  readonly token: string
  /** Repeats the secret in a refusal of every manifest that is written, as a careless registry does. */
  readonly repeatsSecrets?: (said: string) => string
}

const read = async (request: http.IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request) body += chunk
  return body
}

const decoded = (authorization: string): string => {
  const [scheme = "", value = ""] = authorization.split(" ")
  return scheme.toLowerCase() === "basic" ? Buffer.from(value, "base64").toString() : value
}

const challengeOf = ({ challenge }: GuardOptions, host: string): string =>
  challenge === "basic" ? `Basic realm="guard"` : `Bearer realm="http://${host}/token",service="guard"`

const forward = (request: http.IncomingMessage, response: http.ServerResponse, target: string): void => {
  const { authorization: _, ...headers } = request.headers
  const onward = http.request(
    { host: "127.0.0.1", port: Number(target.split(":")[1]), method: request.method, path: request.url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    }
  )
  onward.on("error", () => response.destroy())
  request.pipe(onward)
}

const answerToken = async (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  token: string,
  told: Array<string>
): Promise<void> => {
  for (const value of new URLSearchParams(await read(request)).values()) told.push(value)
  if (request.headers.authorization !== undefined) told.push(decoded(request.headers.authorization))
  response.writeHead(200, { "content-type": "application/json" })
  response.end(JSON.stringify({ token, access_token: token, expires_in: 300 }))
}

/** Listens until the scope closes. */
export const make = (options: GuardOptions): Effect.Effect<Guard, never, Scope.Scope> =>
  Effect.gen(function* () {
    const told: Array<string> = []
    const server = http.createServer((request, response) => {
      const { authorization } = request.headers
      if (request.url?.startsWith("/token")) {
        void answerToken(request, response, options.token, told)
        return
      }
      if (authorization === undefined) {
        request.resume()
        response.writeHead(401, { "www-authenticate": challengeOf(options, request.headers.host ?? "") })
        response.end()
        return
      }
      const said = decoded(authorization)
      told.push(said)
      if (options.repeatsSecrets !== undefined && request.method === "PUT" && request.url?.includes("/manifests/")) {
        request.resume()
        response.writeHead(403, { "content-type": "application/json" })
        const message = `denied to ${options.repeatsSecrets(said)}`
        response.end(JSON.stringify({ errors: [{ code: "DENIED", message, detail: said }] }))
        return
      }
      forward(request, response, options.target)
    })
    const port = yield* Effect.orDie(listen(server, 0))
    return { host: `127.0.0.1:${port}`, told: Effect.sync(() => [...told]) }
  })
