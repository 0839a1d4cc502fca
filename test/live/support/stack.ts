/**
 * The real engine and the real registries for live tests.
 *
 * They are those of `scripts/stack up` when it is up (folder /tmp/gantry-stack, or GANTRY_STACK), which makes a run
 * faster; otherwise a file's suite starts its own and ends them. On a machine that lacks a tool the suite is skipped,
 * and in CI it is an error.
 *
 * ```ts
 * describeLive("pushing", (it) => {
 *   it.scoped("reports the digest that the registry has", () =>
 *     Effect.gen(function* () {
 *       const { engine, registries } = yield* LiveStack          // engine.socket, engine.host, registries.open.host
 *       const proxy = yield* FaultProxy.make({ target: registries.open.host })
 *       const reference = `${proxy.host}/${uniqueRepository("push")}:v1`
 *       yield* loadedImage(engine, { tags: [reference], layers: [{ seed: "a", size: 64 * ImageFixture.MiB }] })
 *       const [digest, requests] = yield* registries.open.observe(engine.api.push(reference))
 *       assert.strictEqual((yield* skopeoInspect(reference)).digest, digest)
 *       assert.isAbove(requests.filter((request) => request.method === "PATCH").length, 0)
 *     })
 *   )
 * })
 * ```
 *
 * A test that kills an engine or a registry takes one of its own: `yield* Stack.engine()`, `yield* Stack.registry("open")`.
 * The clock is the real one.
 */
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import { rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, layer, type Vitest } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Engine } from "../../../scripts/lib/stack/Engine.ts"
import type { LabCredentials } from "../../../scripts/lib/stack/EngineApi.ts"
import * as ImageFixture from "../../../scripts/lib/stack/ImageFixture.ts"
import * as Prerequisites from "../../../scripts/lib/stack/Prerequisites.ts"
import * as SharedStack from "../../../scripts/lib/stack/SharedStack.ts"
import * as Stack from "../../../scripts/lib/stack/Stack.ts"
import { StackError } from "../../../scripts/lib/stack/StackError.ts"

/** The engine, the three registries and the token server that the tests of a suite share. */
export class LiveStack extends Context.Tag("gantry-test/LiveStack")<LiveStack, SharedStack.Stack>() {}

const ownStack: Effect.Effect<SharedStack.Stack, StackError, Scope.Scope> = Effect.gen(function* () {
  const tokenServer = yield* Stack.tokenServer()
  const [engine, open, htpasswd, token] = yield* Effect.all(
    [Stack.engine(), Stack.registry("open"), Stack.registry("htpasswd"), Stack.registry(tokenServer)],
    { concurrency: "unbounded" }
  )
  return { engine, tokenServer, registries: { open, htpasswd, token } }
})

export const layerLiveStack: Layer.Layer<LiveStack, StackError> = Layer.scoped(
  LiveStack,
  Effect.flatMap(
    SharedStack.attach(process.env["GANTRY_STACK"] ?? SharedStack.defaultFolder),
    Option.match({ onSome: Effect.succeed, onNone: () => ownStack })
  )
)

/** `describe` with a `LiveStack`; see the top of this file. */
export const describeLive = (name: string, suite: (it: Vitest.MethodsNonLive<LiveStack, true>) => void): void => {
  const missing = Option.getOrUndefined(Prerequisites.unsafeMissingForTests())
  if (missing === undefined) {
    describe(name, () => {
      layer(layerLiveStack, { excludeTestServices: true, timeout: "3 minutes" })(suite)
    })
  } else if (process.env["CI"] === "true") {
    throw missing
  } else {
    describe.skip(`${name} (${missing.message})`, () => {
      layer(layerLiveStack, { excludeTestServices: true })(suite)
    })
  }
}

/** A repository that no other test and no earlier run used: `live/push-1f0c9e2a`. */
export const uniqueRepository = (name: string): string => `live/${name}-${randomUUID().slice(0, 8)}`

/** Loads a fixture into an engine and removes it again with the scope. */
export const loadedImage = (
  engine: Engine,
  options: ImageFixture.FixtureOptions
): Effect.Effect<ImageFixture.ImageFixture, StackError, Scope.Scope> => {
  const fixture = ImageFixture.make(options)
  return Effect.acquireRelease(Effect.as(engine.api.load(fixture), fixture), () =>
    // A test may have killed the engine.
    Effect.ignore(engine.api.remove(fixture.id))
  )
}

const Inspected = Schema.parseJson(Schema.Struct({ Digest: Schema.String, Layers: Schema.Array(Schema.String) }))

const authFile = (reference: string, credentials: LabCredentials) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const file = join(tmpdir(), `gantry-skopeo-${randomUUID()}.json`)
      const auth = Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")
      await writeFile(file, JSON.stringify({ auths: { [reference.split("/")[0] ?? ""]: { auth } } }), { mode: 0o600 })
      return file
    }),
    (file) => Effect.promise(() => rm(file, { force: true }))
  )

/** What skopeo says about a reference: its manifest's digest and the digests of its compressed layers. */
export const skopeoInspect = (
  reference: string,
  credentials?: LabCredentials
): Effect.Effect<{ readonly digest: string; readonly layers: ReadonlyArray<string> }, StackError> =>
  Effect.gen(function* () {
    const auth = credentials === undefined ? [] : ["--authfile", yield* authFile(reference, credentials)]
    const { stdout } = yield* Effect.tryPromise({
      try: () =>
        promisify(execFile)("skopeo", [
          "inspect",
          "--no-tags",
          "--tls-verify=false",
          "--override-os=linux",
          "--override-arch=amd64",
          ...auth,
          `docker://${reference}`
        ]),
      catch: (error) => new StackError({ message: error instanceof Error ? error.message : String(error) })
    })
    const { Digest, Layers } = yield* Effect.orDie(Schema.decodeUnknown(Inspected)(stdout))
    return { digest: Digest, layers: Layers }
  }).pipe(Effect.scoped)
