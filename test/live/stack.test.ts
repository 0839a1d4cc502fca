import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import type * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as SharedStack from "../../scripts/lib/stack/SharedStack.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const small: ReadonlyArray<ImageFixture.LayerOptions> = [
  { seed: "stack-base", size: 100_000 },
  { seed: "stack-top", size: 5_000 }
]

/** Which of them live; a zombie, which only waits for its parent, has an empty command line. */
const alive = (pids: ReadonlyArray<Option.Option<number>>) =>
  pids.map(Option.getOrElse(() => 0)).filter((pid) => {
    const commandLine = `/proc/${pid}/cmdline`
    return existsSync(commandLine) && readFileSync(commandLine, "utf8") !== ""
  })

/** What comes of a connection. */
const connecting = (host: string) =>
  Effect.async<string>((resume) => {
    const { hostname, port } = new URL(`http://${host}`)
    const socket = connect(Number(port), hostname)
    socket.once("connect", () => resume(Effect.sync(() => void socket.destroy()).pipe(Effect.as("connected"))))
    socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? error.message)))
  })

describeLive("the loopback stack", (it) => {
  for (const name of ["open", "htpasswd", "token"] as const) {
    it.scoped(`lets the engine push to the ${name} registry, directly and through a proxy`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const credentials = Option.getOrUndefined(registry.credentials)
        const proxy = yield* FaultProxy.make({ target: registry.host })
        const repository = uniqueRepository(name)
        const fixture = yield* loadedImage(engine, {
          tags: [`${registry.host}/${repository}:direct`, `${proxy.host}/${repository}:proxied`],
          layers: small
        })
        for (const reference of fixture.tags) {
          const digest = yield* engine.api.push(reference, credentials)
          const inspected = yield* skopeoInspect(reference, credentials)
          assert.strictEqual(inspected.digest, digest)
          assert.strictEqual(inspected.layers.length, 2)
        }
      })
    )

    it.scoped(`keeps every request of an upload to the ${name} registry on the proxy`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const proxy = yield* FaultProxy.make({ target: registry.host })
        const reference = `${proxy.host}/${uniqueRepository(name)}:v1`
        yield* loadedImage(engine, { tags: [reference], layers: small })
        const push = engine.api.push(reference, Option.getOrUndefined(registry.credentials))
        const [, logged] = yield* registry.observe(push)
        const proxied = yield* proxy.requests
        const summary = (request: { method: string; path: string; status: number | undefined }) =>
          `${request.method} ${request.path} ${request.status}`
        assert.deepStrictEqual(proxied.map(summary).sort(), logged.map(summary).sort())
        assert.isAbove(proxied.filter((request) => request.method === "PATCH").length, 0)
      })
    )
  }

  it.scoped("refuses a wrong password and a reader's push", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const repository = uniqueRepository("refused")
      const tags = [
        `${registries.htpasswd.host}/${repository}:v1`,
        `${registries.token.host}/${repository}:v1`
      ] as const
      yield* loadedImage(engine, { tags, layers: small })
      const wrong = yield* Effect.flip(engine.api.push(tags[0], { username: "dev", password: "wrong" }))
      assert.include(wrong.message, "unauthorized")
      const denied = yield* Effect.flip(engine.api.push(tags[1], LabUser.readOnly))
      assert.include(denied.message, "denied")
    })
  )

  it.scoped("gives an image the id that its fixture foretells, whatever engine loads it", () =>
    Effect.gen(function* () {
      const shared = yield* LiveStack
      const second = yield* Stack.engine()
      const tag = `fixture/${uniqueRepository("id")}:v1`
      for (const engine of [shared.engine, second]) {
        const fixture = yield* loadedImage(engine, { tags: [tag], layers: small })
        const image = Option.getOrThrow(yield* engine.api.inspect(tag))
        assert.strictEqual(image.Id, fixture.id)
        assert.deepStrictEqual(image.RepoTags, [tag])
      }
    })
  )

  it.scoped("starts an engine again after kill -9 in the middle of a push, with its images", () =>
    Effect.gen(function* () {
      const engine = yield* Stack.engine()
      const registry = yield* Stack.registry("open")
      const proxy = yield* FaultProxy.make({
        target: registry.host,
        rules: [{ method: "PATCH", fault: FaultProxy.Fault.StallRequest({ afterBytes: 10_000 }) }]
      })
      const reference = `${proxy.host}/lab/killed:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small })
      const before = yield* engine.pid
      const push = yield* Effect.fork(engine.api.push(reference))
      yield* proxy.waitFor({ method: "PATCH", when: (request) => request.requestBytes >= 10_000 })
      yield* engine.kill
      assert.isTrue(Option.isNone(yield* engine.pid))
      yield* Effect.flip(Fiber.join(push))
      yield* engine.start
      assert.notDeepEqual(yield* engine.pid, before)
      yield* proxy.clear
      assert.match(yield* engine.api.push(reference), /^sha256:/)
    })
  )

  it.scoped("starts a registry again after kill -9 on the same port, with its images", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const registry = yield* Stack.registry("htpasswd")
      const reference = `${registry.host}/lab/kept:v1`
      yield* loadedImage(engine, { tags: [reference], layers: small })
      const digest = yield* engine.api.push(reference, LabUser.dev)
      yield* registry.kill
      yield* Effect.flip(skopeoInspect(reference, LabUser.dev))
      yield* registry.start
      assert.strictEqual((yield* skopeoInspect(reference, LabUser.dev)).digest, digest)
    })
  )

  it.scoped("lets nobody connect to a registry that it has killed", () =>
    Effect.gen(function* () {
      const registry = yield* Stack.registry("open")
      // Several times: the kernel takes a killed process apart in steps, and a look between two of them is a matter of luck.
      for (let round = 0; round < 40; round++) {
        yield* registry.kill
        assert.strictEqual(yield* connecting(registry.host), "ECONNREFUSED")
        yield* registry.start
      }
    })
  )

  it.scoped("leaves no process, no mount and no folder when its scope closes", () =>
    Effect.gen(function* () {
      const left = yield* Effect.gen(function* () {
        const engine = yield* Stack.engine()
        const registry = yield* Stack.registry("open")
        const containerd = yield* Effect.promise(() =>
          readFile(join(engine.folder, "exec/containerd/containerd.pid"), "utf8")
        )
        const pids = [yield* engine.pid, yield* registry.pid, Option.some(Number(containerd))]
        assert.strictEqual(alive(pids).length, 3)
        yield* engine.kill
        return { pids, folders: [engine.folder, registry.folder] }
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(alive(left.pids), [])
      assert.deepStrictEqual(left.folders.filter(existsSync), [])
      const mounts = yield* Effect.promise(() => readFile("/proc/self/mounts", "utf8"))
      assert.isFalse(left.folders.some((folder) => mounts.includes(folder)))
    })
  )

  it.scoped("comes up, is left alone by a second up, and goes down by scripts/stack", () =>
    Effect.gen(function* () {
      const script = fileURLToPath(new URL("../../scripts/stack", import.meta.url))
      const parent = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp("/tmp/gantry-stack-")),
        (folder) => Effect.promise(() => rm(folder, { recursive: true }))
      )
      const folder = join(parent, "stack")
      // From another folder than the repository's, as a person would.
      const run = (command: string) =>
        Effect.promise(() => promisify(execFile)(script, [command, "--dir", folder], { cwd: parent })).pipe(
          Effect.map(({ stdout }) => stdout.trim())
        )
      yield* Effect.addFinalizer(() => Effect.orDie(SharedStack.down(folder)))
      const first = yield* run("up")
      assert.match(first, /^engine +pid \d+ +unix:/)
      assert.strictEqual(first.split("\n").length, 5)
      assert.strictEqual(yield* run("up"), first)
      const pids = (yield* SharedStack.status(folder)).map((member) => member.pid)
      assert.strictEqual(alive(pids).length, 5)
      yield* run("down")
      assert.deepStrictEqual(alive(pids), [])
      assert.isFalse(existsSync(folder))
      assert.deepStrictEqual(yield* SharedStack.status(folder), [])
    })
  )
})
