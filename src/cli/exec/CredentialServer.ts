/**
 * Where `docker-credential-gantry` asks the `gantry exec` that it runs under: a socket that nobody but its user can reach.
 */
import { randomBytes, timingSafeEqual } from "node:crypto"
import * as http from "node:http"
import { text } from "node:stream/consumers"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Redacted from "effect/Redacted"
import { UsageError } from "../UsageError.ts"
import { authorization, goodStatus, type HelperAnswer, refusedStatus, socketName, tokenName } from "./HelperChannel.ts"

type Answer = (action: string, input: string) => Effect.Effect<HelperAnswer>

const isSame = (given: string, wanted: string): boolean => {
  const [left, right] = [Buffer.from(given), Buffer.from(wanted)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const respond = Effect.fnUntraced(function* (request: http.IncomingMessage, token: Redacted.Redacted, answer: Answer) {
  if (!isSame(request.headers.authorization ?? "", authorization(Redacted.value(token)))) {
    return { isGood: false, text: Redacted.make("this gantry exec does not know who asks") }
  }
  const input = yield* Effect.promise(() => text(request))
  return yield* answer(request.url?.slice(1) ?? "", input)
})

/** What macOS takes, in bytes; Linux takes four more. libuv cuts a longer path off and listens at another one. */
const LONGEST_PATH = 103

const noSocket = (path: string, detail: string) =>
  new UsageError({
    problems: [`exec can not listen at ${path} (${detail}): name a folder with a shorter path in TMPDIR`]
  })

const listening = (server: http.Server, path: string): Effect.Effect<void, UsageError> =>
  Effect.async((resume) => {
    if (Buffer.byteLength(path) > LONGEST_PATH) return resume(noSocket(path, "the path is too long for a socket"))
    server.once("error", ({ code, name }: NodeJS.ErrnoException) => resume(noSocket(path, code ?? name)))
    server.listen(path, () => resume(Effect.void))
  })

/** Answers, until the scope closes, whoever can read the token in this folder. A question whose asker leaves is dropped. */
export const serve = Effect.fn("CredentialServer.serve")(function* (folder: string, answer: Answer) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const token = Redacted.make(yield* Effect.sync(() => randomBytes(32).toString("base64url")))
  yield* Effect.orDie(fileSystem.writeFileString(path.join(folder, tokenName), Redacted.value(token), { mode: 0o600 }))

  const fork = yield* FiberSet.makeRuntime<never>()
  const server = http.createServer((request, response) => {
    const fiber = fork(
      Effect.map(respond(request, token, answer), ({ isGood, text }) => {
        response.writeHead(isGood ? goodStatus : refusedStatus)
        response.end(Redacted.value(text))
      })
    )
    response.on("close", () => fiber.unsafeInterruptAsFork(FiberId.none))
  })
  yield* Effect.acquireRelease(listening(server, path.join(folder, socketName)), () =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
  )
})
