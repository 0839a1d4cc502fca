import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as DockerEngine from "../../../src/engine/DockerEngine.ts"
import { EngineDisconnected, EngineUnavailable } from "../../../src/engine/EngineError.ts"
import * as Digest from "../../../src/reference/Digest.ts"
import * as ImageReference from "../../../src/reference/ImageReference.ts"
import { fakeEngine, type Respond } from "../fakeEngine.ts"
import { eventually, type FakeSsh, fakeSsh, leadsTo } from "../fakeSsh.ts"

const image = ImageReference.unsafeParse("127.0.0.1:6200/team/app:v1")
const digest = Digest.unsafeParse(`sha256:${"ab".repeat(32)}`)

const answersPing: Respond = (_, response) => {
  response.writeHead(200, { "api-version": "1.51" })
  response.end("OK")
}

const engineOver = (host = "ssh://ci@build:2222/run/engine.sock") =>
  Effect.flatMap(Layer.build(DockerEngine.layer({ host, origin: "the test" })), (context) =>
    Effect.provide(DockerEngine.DockerEngine, context)
  )

/** An engine, an ssh that leads to it, and gantry's client for it. */
const overSsh = (respond: Respond) =>
  Effect.gen(function* () {
    const fake = yield* fakeEngine(respond)
    const ssh = yield* fakeSsh(leadsTo(fake.socketPath))
    return { fake, ssh, engine: yield* engineOver() }
  })

const killAll = (ssh: FakeSsh) =>
  Effect.suspend(() => {
    for (const pid of ssh.running()) process.kill(pid, "SIGKILL")
    return eventually(() => ssh.running().length === 0)
  })

const failureOf = (script: string) =>
  Effect.gen(function* () {
    yield* fakeSsh(script)
    const engine = yield* engineOver()
    const error = yield* Effect.flip(engine.ping)
    assert.instanceOf(error, EngineUnavailable)
    return error
  })

// Every test starts processes.
describe("an engine over ssh", { timeout: 60_000 }, () => {
  it.scoped("is reached by the system's ssh, with the docker command's arguments", () =>
    Effect.gen(function* () {
      const { engine, fake, ssh } = yield* overSsh(answersPing)
      assert.deepStrictEqual(yield* engine.ping, { apiVersion: "1.51" })
      assert.strictEqual(engine.endpoint, "ssh://ci@build:2222/run/engine.sock")
      assert.deepStrictEqual(ssh.calls(), [
        "-o ConnectTimeout=30 -T -l ci -p 2222 -- build docker --host unix:///run/engine.sock system dial-stdio"
      ])
      assert.strictEqual(fake.seen[0]?.headers.host, "docker.example.com")
    })
  )

  it.scoped("keeps one ssh for requests one after the other, and starts more for those at once", () =>
    Effect.gen(function* () {
      const { engine, ssh } = yield* overSsh(answersPing)
      yield* Effect.repeatN(engine.ping, 9)
      assert.lengthOf(ssh.calls(), 1)
      yield* Effect.all([engine.ping, engine.ping, engine.ping], { concurrency: "unbounded" })
      assert.lengthOf(ssh.calls(), 3)
    })
  )

  it.scoped("takes and gives any number of bytes", () =>
    Effect.gen(function* () {
      const part = new Uint8Array(64 * 1024).fill(7)
      const { engine, fake } = yield* overSsh(({ method }, response) => {
        response.writeHead(200)
        if (method === "POST") return void response.end(`{"stream":"Loaded image: team/app:v1\\n"}\n`)
        for (let count = 0; count < 128; count++) response.write(part)
        response.end()
      })
      const archive = Stream.fromIterable(Array.from({ length: 128 }, () => part))
      assert.deepStrictEqual(yield* engine.loadImages(archive), ["team/app:v1"])
      assert.strictEqual(fake.seen[0]?.body.length, 128 * part.length)
      const sizes = yield* Stream.runCollect(Stream.map(engine.saveImages([image]), (bytes) => bytes.length))
      assert.strictEqual(
        Chunk.reduce(sizes, 0, (sum, size) => sum + size),
        128 * part.length
      )
    })
  )

  it.scoped("leaves no process when its scope closes", () =>
    Effect.gen(function* () {
      const fake = yield* fakeEngine(answersPing)
      const ssh = yield* fakeSsh(leadsTo(fake.socketPath))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const engine = yield* engineOver()
          yield* Effect.all([engine.ping, engine.ping], { concurrency: "unbounded" })
          assert.lengthOf(ssh.running(), 2)
        })
      )
      assert.deepStrictEqual(ssh.running(), [])
    })
  )

  it.scoped("ends the process of a request that is interrupted", () =>
    Effect.gen(function* () {
      const { engine, fake, ssh } = yield* overSsh(() => {})
      const fiber = yield* Effect.fork(Stream.runDrain(engine.pushImage(image, Option.none())))
      yield* eventually(() => fake.seen.length === 1)
      assert.lengthOf(ssh.running(), 1)
      yield* Fiber.interrupt(fiber)
      yield* eventually(() => ssh.running().length === 0)
      yield* eventually(() => fake.connections() === 0)
    })
  )

  it.scopedLive(
    "kills a process that does not end by itself, also when it is an interruption that closes the scope",
    () =>
      Effect.gen(function* () {
        const ssh = yield* fakeSsh("trap '' TERM\nwhile :; do sleep 0.05; done")
        const isDeaf = () =>
          ssh.running().some((pid) => /SigIgn:.*4...$/m.test(readFileSync(`/proc/${pid}/status`, "utf8")))
        const use = Effect.scoped(Effect.flatMap(engineOver(), (engine) => engine.ping))
        const fiber = yield* Effect.fork(use)
        yield* eventually(isDeaf)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(ssh.running(), [])
      })
  )

  it.scoped("starts another ssh when one has ended", () =>
    Effect.gen(function* () {
      const { engine, ssh } = yield* overSsh(answersPing)
      yield* engine.ping
      yield* killAll(ssh)
      // The end of a process is told some turns of the event loop after it.
      let turns = 0
      yield* eventually(() => ++turns > 5)
      yield* engine.ping
      assert.lengthOf(ssh.calls(), 2)
    })
  )

  it.scoped("is gone, and not done, when its ssh ends in the middle of a push", () =>
    Effect.gen(function* () {
      const { engine, ssh } = yield* overSsh((_, response) => {
        response.writeHead(200)
        response.write(`{"status":"The push refers to repository [127.0.0.1:6200/team/app]"}\n`)
      })
      const push = Stream.runForEach(engine.pushImage(image, Option.none()), () => killAll(ssh))
      assert.instanceOf(yield* Effect.flip(push), EngineDisconnected)
    })
  )

  it.scoped("pushes as any other does", () =>
    Effect.gen(function* () {
      const { engine } = yield* overSsh((_, response) => {
        response.writeHead(200)
        response.end(`{"status":"v1: digest: ${digest} size: 5"}\n`)
      })
      const events = yield* Stream.runCollect(engine.pushImage(image, Option.none()))
      assert.deepStrictEqual(Chunk.map(events, ({ _tag }) => _tag).pipe(Chunk.toReadonlyArray), ["PushResult"])
    })
  )

  describe("that can not be reached", () => {
    it.scoped("is unavailable in ssh's own words, and trying again does not help", () =>
      Effect.gen(function* () {
        for (const words of ["Host key verification failed.", "ci@build: Permission denied (publickey)."]) {
          const error = yield* failureOf(`echo '${words}' >&2; exit 255`)
          assert.strictEqual(error.reason, "ssh")
          assert.isFalse(error.isRetryable)
          assert.include(error.message, `ssh ended (255) and said: ${words.slice(0, -1)}.`)
          assert.include(error.message, "docker version` by hand")
        }
        const missing = yield* failureOf("echo 'bash: line 1: docker: command not found' >&2; exit 127")
        assert.include(missing.message, "ssh ended (127) and said: bash: line 1: docker: command not found")
      })
    )

    it.scoped("is unavailable for now when its network is", () =>
      Effect.gen(function* () {
        const error = yield* failureOf("echo 'ssh: connect to host build port 22: Connection refused' >&2; exit 255")
        assert.strictEqual(error.reason, "refused")
        assert.isTrue(error.isRetryable)
      })
    )

    it.scoped("is unavailable without a program ssh", () =>
      Effect.gen(function* () {
        const saved = process.env["PATH"]
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            process.env["PATH"] = saved
          })
        )
        process.env["PATH"] = "/nowhere"
        const engine = yield* engineOver()
        const error = yield* Effect.flip(engine.ping)
        assert.instanceOf(error, EngineUnavailable)
        assert.include(error.message, "the program ssh is not on the PATH")
      })
    )

    it.scoped("repeats no password of its address", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(engineOver("ssh://ci:pa55word@build"))
        assert.include(error.message, "Leave out the password")
        assert.notInclude(error.message, "pa55word")
      })
    )
  })
})
