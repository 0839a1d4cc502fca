import { readFile, stat } from "node:fs/promises"
import * as http from "node:http"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as CredentialServer from "../../../src/cli/exec/CredentialServer.ts"
import type { HelperAnswer } from "../../../src/cli/exec/HelperChannel.ts"

const node = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const folder = Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.makeTempDirectoryScoped())

const question = (folder: string, authorization: string | undefined, body = "reg.io") => {
  const request = http.request({
    socketPath: join(folder, "socket"),
    path: "/get",
    method: "POST",
    headers: authorization === undefined ? {} : { authorization }
  })
  request.on("error", () => {})
  request.end(body)
  return request
}

const ask = (...parameters: Parameters<typeof question>) =>
  Effect.promise(async () => {
    const response = await new Promise<http.IncomingMessage>((resolve) =>
      question(...parameters).on("response", resolve)
    )
    return [response.statusCode, await text(response)]
  })

const tokenIn = (folder: string) => Effect.promise(() => readFile(join(folder, "token"), "utf8"))

const echo = (action: string, input: string): Effect.Effect<HelperAnswer> =>
  Effect.succeed({ isGood: input === "reg.io", text: Redacted.make(`${action} ${input}`) })

describe("the server of gantry exec", () => {
  it.scoped("answers who knows the token, which only its user can read", () =>
    Effect.gen(function* () {
      const here = yield* folder
      yield* CredentialServer.serve(here, echo)
      const token = yield* tokenIn(here)
      const { mode } = yield* Effect.promise(() => stat(join(here, "token")))
      assert.strictEqual(mode & 0o777, 0o600)
      assert.deepStrictEqual(yield* ask(here, `Bearer ${token}`), [200, "get reg.io"])
      assert.deepStrictEqual(yield* ask(here, `Bearer ${token}`, "other"), [404, "get other"])
    }).pipe(Effect.provide(node))
  )

  it.scoped("answers nobody else", () =>
    Effect.gen(function* () {
      const here = yield* folder
      yield* CredentialServer.serve(here, () => Effect.dieMessage("nobody is let in"))
      const token = yield* tokenIn(here)
      for (const wrong of [undefined, "", `Bearer ${token.slice(1)}x`, `Bearer ${token}x`, token]) {
        assert.deepStrictEqual(yield* ask(here, wrong), [404, "this gantry exec does not know who asks"], wrong)
      }
    }).pipe(Effect.provide(node))
  )

  it.scoped("has another token for each run", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* folder, yield* folder]
      yield* CredentialServer.serve(one, echo)
      yield* CredentialServer.serve(other, echo)
      assert.notStrictEqual(yield* tokenIn(one), yield* tokenIn(other))
    }).pipe(Effect.provide(node))
  )

  it.scoped("drops a question whose asker has left", () =>
    Effect.gen(function* () {
      const here = yield* folder
      const [begun, dropped] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      yield* CredentialServer.serve(here, () =>
        Deferred.succeed(begun, undefined).pipe(
          Effect.zipRight(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(dropped, undefined))
        )
      )
      const request = question(here, `Bearer ${yield* tokenIn(here)}`)
      yield* Deferred.await(begun)
      request.destroy()
      yield* Deferred.await(dropped)
    }).pipe(Effect.provide(node))
  )

  it.scoped("says which folder to change when the system takes no socket there", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const long = join(yield* folder, "x".repeat(120))
      yield* fileSystem.makeDirectory(long)
      const error = yield* Effect.flip(CredentialServer.serve(long, echo))
      assert.match(error.message, /^exec can not listen at .* \(the path is too long for a socket\): .* TMPDIR$/)
    }).pipe(Effect.provide(node))
  )
})
