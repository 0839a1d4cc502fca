import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import { readReport, run, start, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const { MiB } = ImageFixture
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
      const statusOf = Effect.map(readReport(report), ({ results }) => results.map(({ status }) => status))

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
        const { results } = yield* readReport(report)
        assert.deepStrictEqual(
          results.map(({ status }) => status),
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
