import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Engine } from "../../scripts/lib/stack/Engine.ts"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const { MiB } = ImageFixture
const bin = fileURLToPath(new URL("../../dist/bin/gantry.js", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Effect.Effect<Ended>
}

/** A fresh folder, so that nothing of this machine's docker configuration is seen. */
const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "gantry-cli-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** Starts the built command, with no environment but what it is given. */
const start = (
  parameters: ReadonlyArray<string>,
  options: {
    readonly engine?: Pick<Engine, "host">
    readonly stdin?: string
    readonly environment?: Readonly<Record<string, string>>
  } = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [bin, ...parameters], {
          env: {
            PATH: process.env["PATH"],
            HOME: home,
            ...(options.engine === undefined ? {} : { DOCKER_HOST: options.engine.host }),
            ...options.environment
          }
        })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const output = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk) => {
      output.stdout += chunk
    })
    child.stderr.on("data", (chunk) => {
      output.stderr += chunk
    })
    child.stdin.end(options.stdin ?? "")
    const closed = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...output })))
    return { child, ended: Effect.promise(() => closed) }
  })

const run = (...parameters: Parameters<typeof start>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(...parameters), ({ ended }) => ended))

const small = (seed: string): ReadonlyArray<ImageFixture.LayerOptions> => [{ seed, size: 40_000 }]

describeLive("the gantry command", (it) => {
  it.scoped("prints the repository's digest on stdout and nothing else there", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.open.host}/${uniqueRepository("cli")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("cli") })
      const { code, stderr, stdout } = yield* run(["push", reference], { engine })
      const { digest } = yield* skopeoInspect(reference)
      assert.strictEqual(stdout, `${reference.slice(0, reference.lastIndexOf(":"))}@${digest}\n`)
      assert.include(stderr, digest)
      assert.strictEqual(code, 0)
    })
  )

  it.scoped("pushes under another name, writes the report, and answers a dry run without writing", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const source = `${uniqueRepository("source")}:dev`
      const target = `${registries.open.host}/${uniqueRepository("target")}:v1`
      yield* loadedImage(engine, { tags: [source], layers: small("renamed") })
      const report = join(folder, "report.json")
      const push = (...more: ReadonlyArray<string>) =>
        run(["push", source, "--to", target, "--progress", "none", "--report", report, ...more], { engine })
      const statusOf = Effect.map(
        Effect.promise(() => readFile(report, "utf8")),
        (text) => JSON.parse(text).results.map(({ status }: { status: string }) => status)
      )

      const [dry, requests] = yield* registries.open.observe(push("--dry-run"))
      assert.strictEqual(dry.code, 0)
      assert.deepStrictEqual(yield* statusOf, ["would-push"])
      assert.isTrue(requests.every(({ method }) => method === "GET" || method === "HEAD"))

      assert.strictEqual((yield* push()).code, 0)
      assert.deepStrictEqual(yield* statusOf, ["pushed"])
      assert.strictEqual((yield* push()).code, 0)
      assert.deepStrictEqual(yield* statusOf, ["unchanged"])
      assert.isTrue((yield* engine.api.inspect(target))._tag === "None", "the name for --to is taken away again")
    })
  )

  it.scoped("takes the password from stdin, and exits 3 when it is wrong without ever showing it", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.htpasswd.host}/${uniqueRepository("password")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("password") })
      const push = (password: string) =>
        run(["push", reference, "--username", LabUser.dev.username, "--password-stdin"], { engine, stdin: password })
      const wrong = yield* push("certainly-not-it\n")
      assert.strictEqual(wrong.code, 3)
      assert.include(wrong.stderr, "password")
      assert.notInclude(wrong.stdout + wrong.stderr, "certainly-not-it")
      assert.strictEqual((yield* push(`${LabUser.dev.password}\n`)).code, 0)
    })
  )

  it.scoped("uses what docker login left in config.json", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const reference = `${registries.htpasswd.host}/${uniqueRepository("login")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("login") })
      const auth = Buffer.from(`${LabUser.dev.username}:${LabUser.dev.password}`).toString("base64")
      yield* Effect.promise(() =>
        writeFile(join(folder, "config.json"), JSON.stringify({ auths: { [registries.htpasswd.host]: { auth } } }))
      )
      const ended = yield* run(["push", reference], { engine, environment: { DOCKER_CONFIG: folder } })
      assert.strictEqual(ended.code, 0)
    })
  )

  it.scoped("exits 1 for an image that the engine does not have, naming it", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const reference = `${registries.open.host}/${uniqueRepository("absent")}:v1`
      const { code, stderr, stdout } = yield* run(["push", reference], { engine })
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, "")
      assert.include(stderr, reference)
    })
  )

  it.scoped("exits 4 without an engine, naming the socket and where it came from", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(["push", "reg.io/app:1", "--retries", "0"], {
        environment: { DOCKER_HOST: "unix:///nowhere/docker.sock" }
      })
      assert.strictEqual(code, 4)
      assert.include(stderr, "unix:///nowhere/docker.sock")
      assert.include(stderr, "DOCKER_HOST")
    })
  )

  it.scoped("exits 4 when the engine is killed in the middle, calmly", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const engine = yield* Stack.engine()
      const proxy = yield* FaultProxy.make({ target: registries.open.host })
      yield* proxy.add({ method: "PATCH", fault: FaultProxy.Fault.StallRequest({ afterBytes: MiB }) })
      const reference = `${proxy.host}/${uniqueRepository("killed")}:v1`
      yield* engine.api.load(ImageFixture.make({ tags: [reference], layers: [{ seed: "killed", size: 8 * MiB }] }))
      const { ended } = yield* start(["push", reference, "--retries", "0"], { engine })
      yield* proxy.waitFor({ method: "PATCH", when: (request) => request.requestBytes >= MiB })
      yield* engine.kill
      const { code, stderr } = yield* ended
      assert.strictEqual(code, 4)
      assert.notInclude(stderr, "nhandled")
      assert.notMatch(stderr, /^\s+at /m, "no stack trace")
    })
  )

  it.scoped("exits 5 when the registry is gone", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const registry = yield* Stack.registry("open")
      const reference = `${registry.host}/${uniqueRepository("gone")}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small("gone") })
      yield* registry.kill
      const { code, stderr } = yield* run(["push", reference, "--retries", "0"], { engine })
      assert.strictEqual(code, 5)
      assert.include(stderr, registry.host)
    })
  )

  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.scoped(`exits ${exitCode} on ${signal} with a report, and no manifest reaches the registry afterwards`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const folder = yield* temporaryFolder
        const proxy = yield* FaultProxy.make({ target: registries.open.host })
        yield* proxy.add({ method: "PATCH", bytesPerSecond: MiB })
        const reference = `${proxy.host}/${uniqueRepository("signal")}:v1`
        yield* loadedImage(engine, { tags: [reference], layers: [{ seed: signal, size: 16 * MiB }] })
        const report = join(folder, "report.json")
        const { child, ended } = yield* start(["push", reference, "--report", report], { engine })
        yield* proxy.waitFor({ method: "PATCH", when: (request) => request.requestBytes > 0 })
        child.kill(signal)
        assert.strictEqual((yield* ended).code, exitCode)
        const { results } = JSON.parse(yield* Effect.promise(() => readFile(report, "utf8")))
        assert.deepStrictEqual(
          results.map(({ status }: { status: string }) => status),
          ["cancelled"]
        )
        yield* proxy.clear
        // Another push proves that the engine has had the time to go on with the first one.
        const other = `${proxy.host}/${uniqueRepository("afterwards")}:v1`
        yield* loadedImage(engine, { tags: [other], layers: small("afterwards") })
        assert.strictEqual((yield* run(["push", other], { engine })).code, 0)
        const manifests = (yield* proxy.requests).filter(
          ({ method, path }) => method === "PUT" && path.includes("/manifests/")
        )
        assert.deepStrictEqual(
          manifests.map(({ path }) => path.includes("afterwards")),
          [true]
        )
      })
    )
  }
})
