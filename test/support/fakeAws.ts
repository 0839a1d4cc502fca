/**
 * AWS as far as its registry needs it: ECR (JSON 1.1) and STS (query and XML) on loopback, in the wire forms of
 * reference/auth.md section 5. Each action answers well until it is told otherwise.
 */
import * as http from "node:http"
import * as Effect from "effect/Effect"
import { listen } from "../../scripts/lib/stack/internal/listen.ts"

export interface Asked {
  /** As `GetAuthorizationToken` or `AssumeRole`. */
  readonly action: string
  /** What the request is signed for; nothing when it is not signed. */
  readonly signed: { readonly accessKeyId: string; readonly region: string; readonly service: string } | undefined
  readonly parameters: Readonly<Record<string, unknown>>
}

export type Answer =
  | { readonly status: number; readonly body: string }
  /** Takes the request and says nothing. */
  | "silence"

export const jsonAnswer = (body: unknown): Answer => ({ status: 200, body: JSON.stringify(body) })

export const jsonError = (type: string, message: string, status = 400): Answer => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.ecr#${type}`, message })
})

export const xmlError = (code: string, message: string, status = 400): Answer => ({
  status,
  body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`
})

export const authorizationToken = (password: string) => Buffer.from(`AWS:${password}`).toString("base64")

export const roleSession = (
  action: string,
  session: { readonly secretAccessKey: string; readonly sessionToken: string; readonly expiration: string }
): Answer => ({
  status: 200,
  body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>${session.secretAccessKey}</SecretAccessKey><SessionToken>${session.sessionToken}</SessionToken><Expiration>${session.expiration}</Expiration></Credentials></${action}Result></${action}Response>`
})

const signature = /Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request/

const askedOf = (request: http.IncomingMessage, body: string): Asked => {
  const [, accessKeyId, region, service] = signature.exec(request.headers.authorization ?? "") ?? []
  const signed = accessKeyId && region && service ? { accessKeyId, region, service } : undefined
  const target = request.headers["x-amz-target"]
  if (typeof target === "string") return { action: target.split(".")[1] ?? "", signed, parameters: JSON.parse(body) }
  const { Action = "", ...parameters } = Object.fromEntries(new URLSearchParams(body))
  return { action: Action, signed, parameters }
}

/** A server of its own for each scope, closed with every connection that is left. */
export const fakeAws = Effect.gen(function* () {
  const asked: Array<Asked> = []
  const answers = new Map<string, (asked: Asked) => Answer>()
  let abandoned = 0
  const server = http.createServer((request, response) => {
    const parts: Array<Buffer> = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("end", () => {
      const question = askedOf(request, Buffer.concat(parts).toString())
      asked.push(question)
      const answer = answers.get(question.action)?.(question) ?? jsonError("UnknownOperationException", "no answer")
      if (answer === "silence") {
        request.socket.on("close", () => abandoned++)
        return
      }
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.1" })
      response.end(answer.body)
    })
  })
  const url = `http://127.0.0.1:${yield* Effect.orDie(listen(server, 0))}`
  return {
    url,
    endpoints: { ecr: url, ecrPublic: url, sts: url },
    asked,
    actions: () => asked.map(({ action }) => action),
    /** How many requests to which it said nothing were taken back. */
    abandoned: () => abandoned,
    answer: (action: string, answer: Answer | ((asked: Asked) => Answer)) => {
      answers.set(action, typeof answer === "function" ? answer : () => answer)
    }
  }
})
