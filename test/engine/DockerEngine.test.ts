import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeHttps from "node:https"
import * as NodeNet from "node:net"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import Dockerode from "dockerode"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Credential, CredentialKind, Expiry, usernamePassword } from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import {
  EngineContextInvalid,
  EngineDisconnected,
  type EngineError,
  EngineRejected,
  EngineUnavailable
} from "../../src/engine/EngineError.ts"
import type { EngineEvent } from "../../src/engine/EngineStream.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { messageOf, recordings } from "../support/engineRecordings.ts"
import { fakeEngine, type Respond, type SeenRequest } from "./fakeEngine.ts"

const image = ImageReference.unsafeParse("127.0.0.1:6200/team/app:v1")
const digest = Digest.unsafeParse(`sha256:${"ab".repeat(32)}`)
const resultLine = `{"status":"v1: digest: ${digest} size: 5"}\n`
const credential = usernamePassword({ host: "127.0.0.1:6200", username: "bob", password: Redacted.make("pa55>word?ü") })

const engineAt = (host: string) =>
  Effect.map(Layer.build(DockerEngine.layer({ host, origin: "the test" })), (context) =>
    DockerEngine.DockerEngine.pipe(Effect.provide(context))
  ).pipe(Effect.flatten)

/** A fake engine and gantry's client for it. */
const withEngine = (respond: Respond) =>
  Effect.gen(function* () {
    const fake = yield* fakeEngine(respond)
    return { fake, engine: yield* engineAt(fake.host) }
  })

const answering =
  (status: number, body: string | Uint8Array, headers: Record<string, string> = {}): Respond =>
  (_, response) => {
    response.writeHead(status, headers)
    response.end(body)
  }

/** Waits on the event loop, for what only Node's own events can bring about. */
const eventually = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() =>
    condition()
      ? Effect.void
      : Effect.zipRight(
          Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))),
          eventually(condition)
        )
  )

const portOf = (server: NodeNet.Server): number => {
  const bound = server.address()
  return typeof bound === "object" && bound !== null ? bound.port : 0
}

const fieldsOf = (error: EngineError) => ({ ...error })

const authOf = (request: SeenRequest | undefined): unknown =>
  JSON.parse(Buffer.from(String(request?.headers["x-registry-auth"]), "base64url").toString("utf8"))

// Loaded machines: each test talks to a server or to another process.
describe("DockerEngine", { timeout: 60_000 }, () => {
  describe("pushImage", () => {
    it.scoped("gives of every recorded stream what its bytes mean", () =>
      Effect.gen(function* () {
        let current = recordings[0]
        const { engine } = yield* withEngine((_, response) => {
          if (current === undefined || current.httpStatus === 0) return void response.destroy()
          response.writeHead(current.httpStatus)
          response.write(current.body)
          if (current.streamEnd === "complete") response.end()
          else response.socket?.end()
        })
        // docker-modem follows the 301 of a name that no ImageReference has.
        for (const one of recordings.filter(({ httpStatus }) => httpStatus !== 301)) {
          current = one
          const streamed: Array<EngineEvent> = []
          const told: Array<EngineEvent> = []
          const end = yield* engine.pushImage(image, Option.none()).pipe(
            Stream.runForEach((event) => Effect.sync(() => void streamed.push(event))),
            Effect.flip,
            Effect.option
          )
          const sameEnd = yield* engine
            .runPush(image, Option.none(), (event) => void told.push(event))
            .pipe(Effect.flip, Effect.option)
          assert.deepStrictEqual(told, streamed, one.name)
          assert.deepStrictEqual(Option.map(sameEnd, fieldsOf), Option.map(end, fieldsOf), one.name)
          if (one.streamEnd !== "complete") {
            assert.instanceOf(Option.getOrUndefined(end), EngineDisconnected, one.name)
          } else if (one.httpStatus !== 200) {
            const failure = Option.getOrUndefined(end)
            assert.instanceOf(failure, EngineRejected, one.name)
            assert.strictEqual(failure.status, one.httpStatus)
            assert.strictEqual(failure.text, messageOf(one)?.replace(/\?[^\s"]+/g, ""))
          } else if (one.expected === "pushed" || one.expected === "unchanged-layers") {
            assert.isTrue(Option.isNone(end), one.name)
          }
        }
      })
    )

    it.scoped("sends name and tag apart, with padded base64url for the image's host, and no secret anywhere else", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        yield* Stream.runDrain(engine.pushImage(image, Option.some(credential)))
        const [request] = fake.seen
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.url, "/images/127.0.0.1%3A6200%2Fteam%2Fapp/push?tag=v1")
        assert.strictEqual(request?.body.length, 0)
        assert.deepStrictEqual(authOf(request), {
          username: "bob",
          password: "pa55>word?ü",
          serveraddress: "127.0.0.1:6200"
        })
      })
    )

    it.scoped("pads the header of every credential, in the alphabet that engines read", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        for (const password of FastCheck.sample(FastCheck.fullUnicodeString({ maxLength: 20 }), 60)) {
          const kind = CredentialKind.UsernamePassword({ username: "u", password: Redacted.make(password) })
          const one = new Credential({ host: "127.0.0.1:6200", kind, expiry: Expiry.Never() })
          yield* Stream.runDrain(engine.pushImage(image, Option.some(one)))
          const request = fake.seen.at(-1)
          const header = String(request?.headers["x-registry-auth"])
          assert.match(header, /^[A-Za-z0-9_-]+={0,2}$/)
          assert.strictEqual(header.length % 4, 0)
          assert.deepStrictEqual(authOf(request), { username: "u", password, serveraddress: "127.0.0.1:6200" })
        }
      })
    )

    it.scoped("sends an empty credential when it has none, and tokens in fields of their own", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        const hub = ImageReference.unsafeParse("alpine:3")
        const send = (kind: CredentialKind) =>
          Stream.runDrain(
            engine.pushImage(hub, Option.some(new Credential({ host: "docker.io", kind, expiry: Expiry.Never() })))
          )
        yield* Stream.runDrain(engine.pushImage(hub, Option.none()))
        yield* send(CredentialKind.IdentityToken({ username: Option.some("bob"), token: Redacted.make("refresh") }))
        yield* send(CredentialKind.RegistryToken({ token: Redacted.make("bearer") }))
        const serveraddress = "https://index.docker.io/v1/"
        assert.deepStrictEqual(fake.seen.map(authOf), [
          {},
          { username: "bob", identitytoken: "refresh", serveraddress },
          { registrytoken: "bearer", serveraddress }
        ])
        assert.strictEqual(fake.seen[0]?.url, "/images/docker.io%2Flibrary%2Falpine/push?tag=3")
      })
    )

    it.scoped("always names a tag, and leaves a digest for the engine to refuse", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        yield* Stream.runDrain(engine.pushImage(ImageReference.unsafeParse("reg.example/a"), Option.none()))
        yield* Stream.runDrain(engine.pushImage(ImageReference.unsafeParse(`reg.example/a@${digest}`), Option.none()))
        assert.strictEqual(fake.seen[0]?.url, "/images/reg.example%2Fa/push?tag=latest")
        assert.include(fake.seen[1]?.url, `${encodeURIComponent(`@${digest}`)}/push`)
      })
    )

    it.scoped("says to Podman when a registry's TLS is not to be verified, and else nothing", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        for (const options of [{ tlsVerify: false }, { tlsVerify: true }, {}]) {
          yield* Stream.runDrain(engine.pushImage(image, Option.none(), options))
        }
        assert.deepStrictEqual(
          fake.seen.map(({ url }) => url.split("?")[1]),
          ["tag=v1&tlsVerify=false", "tag=v1", "tag=v1"]
        )
      })
    )

    it.scoped("asks an engine of API 1.46 for one platform, and says so when the engine is older", () =>
      Effect.gen(function* () {
        let version = "1.41"
        const { engine, fake } = yield* withEngine((_, response) => {
          response.writeHead(200, { "api-version": version })
          response.end(resultLine)
        })
        const push = Stream.runDrain(engine.pushImage(image, Option.none(), { platform: "linux/arm64/v8" }))
        const failure = yield* Effect.flip(push)
        assert.deepInclude({ ...failure }, { _tag: "EngineUnsupported", requiredApi: "1.46", engineApi: "1.41" })
        assert.deepStrictEqual(
          fake.seen.map(({ url }) => url),
          ["/_ping"]
        )
        version = "1.46"
        yield* push
        const query = new URL(fake.seen.at(-1)?.url ?? "", "http://engine").searchParams
        assert.deepStrictEqual(JSON.parse(query.get("platform") ?? ""), {
          os: "linux",
          architecture: "arm64",
          variant: "v8"
        })
      })
    )

    /** Both ways to run a push, told to a listener. */
    const ways = {
      "as a stream": (engine: DockerEngine.Service, image: ImageReference.ImageReference, onEvent: () => void) =>
        Stream.runForEach(engine.pushImage(image, Option.none()), () => Effect.sync(onEvent)),
      "as one effect": (engine: DockerEngine.Service, image: ImageReference.ImageReference, onEvent: () => void) =>
        engine.runPush(image, Option.none(), onEvent)
    }

    for (const [way, push] of Object.entries(ways)) {
      it.scoped(`run ${way} aborts its request when it is interrupted, before an answer and in the middle of one`, () =>
        Effect.gen(function* () {
          const asked = yield* Deferred.make<void>()
          const { engine, fake } = yield* withEngine(({ url }, response) => {
            if (url.includes("silent")) return void Deferred.unsafeDone(asked, Effect.void)
            response.writeHead(200)
            response.write('{"status":"a"}\n')
          })
          const silent = ImageReference.unsafeParse("reg.example/silent")
          const before = yield* Effect.fork(push(engine, silent, () => {}))
          yield* Deferred.await(asked)
          assert.strictEqual(fake.connections(), 1)
          yield* Fiber.interrupt(before)
          yield* eventually(() => fake.connections() === 0)

          const first = yield* Deferred.make<void>()
          const during = yield* Effect.fork(push(engine, image, () => Deferred.unsafeDone(first, Effect.void)))
          yield* Deferred.await(first)
          assert.strictEqual(fake.connections(), 1)
          yield* Fiber.interrupt(during)
          yield* eventually(() => fake.connections() === 0)
        })
      )
    }

    it.scoped("ends at an error line, though the engine goes on", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine((_, response) => {
          response.writeHead(200)
          response.write('{"status":"a"}\n{"error":"no"}\n')
        })
        const told: Array<EngineEvent["_tag"]> = []
        const failure = yield* Effect.flip(engine.runPush(image, Option.none(), ({ _tag }) => void told.push(_tag)))
        assert.deepInclude({ ...failure }, { _tag: "EngineRejected", text: "no" })
        assert.deepStrictEqual(told, ["Status"])
        yield* eventually(() => fake.connections() === 0)
      })
    )

    it.scoped("repeats nothing of a password, though its end looks like a URL's or stands where a text is cut", () =>
      Effect.gen(function* () {
        const password = "hunter2?xyzzy!"
        const words = `no: ${password} ${"x".repeat(4070)}${password}`
        const bob = Option.some(
          usernamePassword({ host: image.registry, username: "bob", password: Redacted.make(password) })
        )
        const answers: ReadonlyArray<readonly [status: number, body: string]> = [
          [200, `${JSON.stringify({ status: words })}\n${JSON.stringify({ error: words })}\n`],
          [200, `${JSON.stringify({ id: "a", status: words, progressDetail: {} })}\n`],
          [200, `${words}\n`],
          [500, JSON.stringify({ message: words })]
        ]
        let current = answers[0]
        const { engine } = yield* withEngine((request, response) => {
          const [status, body] = current ?? [500, ""]
          answering(status, body)(request, response)
        })
        for (const answer of answers) {
          current = answer
          const told: Array<unknown> = []
          const note = (event: EngineEvent) => void told.push(event)
          told.push(yield* Effect.flip(engine.runPush(image, bob, note)))
          for (const stream of [engine.pushImage(image, bob), engine.pullImage(image, bob)]) {
            told.push(yield* Effect.either(Stream.runForEach(stream, (event) => Effect.sync(() => note(event)))))
          }
          told.push(yield* Effect.flip(engine.inspectDistribution(image, bob)))
          assert.include(JSON.stringify(told), "no: <redacted> x")
          assert.notMatch(JSON.stringify(told), /hunter|xyzzy/)
        }
      })
    )

    it.scoped("makes a defect of what its listener throws, and does not end the process", () =>
      Effect.gen(function* () {
        const { engine } = yield* withEngine(answering(200, resultLine))
        const cause = yield* engine
          .runPush(image, Option.none(), () => {
            throw new Error("the listener's own")
          })
          .pipe(Effect.sandbox, Effect.flip)
        assert.isTrue(Cause.isDieType(cause))
        assert.include(Cause.pretty(cause), "the listener's own")
      })
    )

    it.scoped("can be left after any number of events without ending the process", () =>
      Effect.gen(function* () {
        const { engine } = yield* withEngine(answering(200, `{"status":"a"}\n{"status":"b"}\n${resultLine}`))
        for (let round = 0; round < 20; round++) {
          const events = yield* Stream.runCollect(Stream.take(engine.pushImage(image, Option.none()), (round % 3) + 1))
          assert.strictEqual(Chunk.size(events), (round % 3) + 1)
        }
        yield* engine.ping.pipe(Effect.ignore)
      })
    )

    it.scoped("uses one connection for many pushes", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(200, resultLine))
        for (let round = 0; round < 10; round++) yield* Stream.runDrain(engine.pushImage(image, Option.none()))
        assert.strictEqual(fake.accepted(), 1)
      })
    )
  })

  describe("other calls", () => {
    it.scoped("reads what an engine says of itself and of an image", () =>
      Effect.gen(function* () {
        const answers: Record<string, unknown> = {
          "/version": { Version: "28.5.2", ApiVersion: "1.51", Os: "linux", Arch: "amd64" },
          "/info": {
            DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]],
            HttpProxy: "http://xxxxx:xxxxx@proxy.example:3128",
            NoProxy: "localhost",
            RegistryConfig: {
              InsecureRegistryCIDRs: ["127.0.0.0/8"],
              IndexConfigs: { "docker.io": { Secure: true }, "reg.example:5000": { Secure: false } }
            }
          },
          "/images/127.0.0.1%3A6200%2Fteam%2Fapp%3Av1/json": {
            Id: String(digest),
            RepoTags: ["app:1"],
            RepoDigests: null,
            RootFS: { Type: "layers", Layers: [String(digest)] },
            Os: "linux",
            Architecture: "arm64"
          }
        }
        const { engine } = yield* withEngine(({ url }, response) => response.end(JSON.stringify(answers[url])))
        assert.deepStrictEqual(yield* engine.version, {
          version: "28.5.2",
          apiVersion: "1.51",
          os: "linux",
          architecture: "amd64"
        })
        assert.deepStrictEqual(yield* engine.info, {
          imageStore: "containerd",
          insecureRegistries: ["reg.example:5000"],
          insecureNetworks: ["127.0.0.0/8"],
          httpProxy: "http://proxy.example:3128",
          httpsProxy: "",
          noProxy: "localhost"
        })
        assert.deepStrictEqual(yield* engine.inspectImage(image), {
          id: String(digest),
          repoTags: ["app:1"],
          repoDigests: [],
          layers: [String(digest)],
          os: "linux",
          architecture: "arm64"
        })
      })
    )

    it.scoped("knows each store of images by what its engine says of itself", () =>
      Effect.gen(function* () {
        const storeOf = (answer: object) =>
          Effect.gen(function* () {
            const { engine } = yield* withEngine((_, response) => response.end(JSON.stringify(answer)))
            return (yield* engine.info).imageStore
          })
        assert.strictEqual(yield* storeOf({ DriverStatus: [["Backing Filesystem", "extfs"]] }), "classic")
        assert.strictEqual(
          yield* storeOf({ DriverStatus: [["driver-type", "io.containerd.snapshotter.v1"]] }),
          "containerd"
        )
        // As Podman 4.3.1 answers.
        assert.strictEqual(yield* storeOf({ DriverStatus: [], BuildahVersion: "1.28.2" }), "podman")
      })
    )

    it.scoped("keeps an image's last name, which the engine would delete the image with", () =>
      Effect.gen(function* () {
        let repoTags = ["127.0.0.1:6200/team/app:v1"]
        const { engine, fake } = yield* withEngine((_, response) =>
          response.end(JSON.stringify({ Id: "x", RepoTags: repoTags, Os: "linux", Architecture: "amd64" }))
        )
        assert.strictEqual(yield* engine.untagImage(image), "kept")
        assert.deepStrictEqual(
          fake.seen.map(({ method }) => method),
          ["GET"]
        )
        repoTags = ["app:1", ...repoTags]
        assert.strictEqual(yield* engine.untagImage(image), "untagged")
        assert.strictEqual(fake.seen.at(-1)?.method, "DELETE")
        assert.strictEqual(fake.seen.at(-1)?.url, "/images/127.0.0.1%3A6200%2Fteam%2Fapp%3Av1?noprune=true")
      })
    )

    it.scoped("tags an image by its id, and pulls by digest when there is one", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(answering(201, `{"status":"Digest: ${digest}"}\n`))
        yield* engine.tagImage(digest, image)
        const pulled = yield* Stream.runCollect(
          engine.pullImage(ImageReference.unsafeParse(`reg.example/a:1@${digest}`), Option.none())
        )
        const [tag, pull] = fake.seen.map(({ url }) => new URL(url, "http://engine"))
        assert.strictEqual(tag?.pathname, `/images/${encodeURIComponent(String(digest))}/tag`)
        assert.strictEqual(tag?.search, "?repo=127.0.0.1%3A6200%2Fteam%2Fapp&tag=v1")
        assert.strictEqual(pull?.searchParams.get("fromImage"), "reg.example/a")
        assert.strictEqual(pull?.searchParams.get("tag"), String(digest))
        assert.deepStrictEqual(
          Chunk.toReadonlyArray(pulled).map(({ _tag }) => _tag),
          ["PullResult"]
        )
      })
    )

    it.scoped("sends an archive as it comes, names what was loaded, and fails as the archive fails", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(
          answering(200, '{"stream":"Loaded image: app:1\\n"}\n{"stream":"Loaded image ID: sha256:12\\n"}\n')
        )
        const parts = [new Uint8Array(70_000).fill(1), new Uint8Array(70_000).fill(2)]
        assert.deepStrictEqual(yield* engine.loadImages(Stream.fromIterable(parts)), ["app:1", "sha256:12"])
        assert.deepStrictEqual(fake.seen[0]?.body, Buffer.concat(parts))
        const broken = Stream.concat(Stream.make(new Uint8Array(10)), Stream.fail("broken"))
        assert.strictEqual(yield* Effect.flip(engine.loadImages(broken)), "broken")
      })
    )

    it.scoped("saves an archive byte for byte, and a cut one is a lost engine", () =>
      Effect.gen(function* () {
        const archive = new Uint8Array(300_000).map((_, index) => index % 251)
        const { engine, fake } = yield* withEngine(({ url }, response) => {
          if (url.includes("cut")) return void response.write(archive, () => response.destroy())
          response.end(archive)
        })
        const save = (name: string) =>
          Effect.map(Stream.runCollect(engine.saveImages([ImageReference.unsafeParse(name), image])), (parts) =>
            Buffer.concat(Chunk.toReadonlyArray(parts))
          )
        assert.isTrue((yield* save("reg.example/a")).equals(archive))
        assert.strictEqual(
          fake.seen[0]?.url,
          "/images/get?names=reg.example%2Fa&names=127.0.0.1%3A6200%2Fteam%2Fapp%3Av1"
        )
        assert.instanceOf(yield* Effect.flip(save("reg.example/cut")), EngineDisconnected)
      })
    )

    it.scoped("loses no byte for a reader that is now waiting and now busy", () =>
      Effect.gen(function* () {
        const pieces = Array.from({ length: 100 }, (_, index) => new Uint8Array(1000).fill(index))
        const inTurns = (turns: number, run: () => void): void =>
          void setImmediate(() => (turns <= 1 ? run() : inTurns(turns - 1, run)))
        // Pairs: the first piece finds the reader waiting, the second finds it busy with the first.
        const { engine } = yield* withEngine((_, response) => {
          const write = (index: number): void => {
            const piece = pieces[index]
            if (piece === undefined) return void response.end()
            response.write(piece, () => inTurns(index % 2 === 0 ? 2 : 20, () => write(index + 1)))
          }
          write(0)
        })
        const busy = Effect.async<void>((resume) => inTurns(6, () => resume(Effect.void)))
        const parts = yield* engine.saveImages([image]).pipe(
          Stream.tap(() => busy),
          Stream.runCollect
        )
        assert.isTrue(Buffer.concat(Chunk.toReadonlyArray(parts)).equals(Buffer.concat(pieces)))
      })
    )

    it.scoped("asks a registry through the engine with the credential in its header only", () =>
      Effect.gen(function* () {
        const { engine, fake } = yield* withEngine(
          answering(
            200,
            JSON.stringify({
              Descriptor: { mediaType: "application/vnd.oci.image.index.v1+json", digest: String(digest), size: 3 },
              Platforms: [{ os: "linux", architecture: "arm64", variant: "v8" }]
            })
          )
        )
        const found = yield* engine.inspectDistribution(image, Option.some(credential))
        assert.deepStrictEqual(found.platforms, ["linux/arm64/v8"])
        assert.deepStrictEqual(found.digest, digest)
        assert.strictEqual(fake.seen[0]?.url, "/distribution/127.0.0.1%3A6200%2Fteam%2Fapp%3Av1/json")
        assert.deepInclude(authOf(fake.seen[0]), { username: "bob" })
      })
    )

    it.scoped("refuses the answer of something that is no engine", () =>
      Effect.gen(function* () {
        const { engine } = yield* withEngine(answering(200, "<html>hello</html>"))
        const { info, inspectImage, ping, version } = engine
        for (const call of [ping, version, info, inspectImage(image)].map(Effect.asVoid<unknown, EngineError, never>)) {
          assert.instanceOf(yield* Effect.flip(call), EngineRejected)
        }
      })
    )

    it.scoped("lends the dockerode client, and types what it fails with", () =>
      Effect.gen(function* () {
        const { engine } = yield* withEngine(answering(404, '{"message":"No such image: x"}'))
        const failure = yield* Effect.flip(engine.use((client) => client.getImage("x").inspect()))
        assert.deepInclude({ ...failure }, { _tag: "EngineRejected", status: 404, text: "No such image: x" })
        const mine = Effect.asVoid(engine.use(() => Promise.reject(new TypeError("not the engine's"))))
        const defect = yield* Effect.catchAllDefect(mine, Effect.succeed)
        assert.include(String(defect), "not the engine's")
      })
    )
  })

  describe("an engine that is not there", () => {
    const unavailable = (host: string) =>
      Effect.flatMap(engineAt(host), (engine) => Effect.flip(Stream.runDrain(engine.pushImage(image, Option.none()))))

    it.scoped("names the socket, where it came from, and why", () =>
      Effect.gen(function* () {
        const failure = yield* unavailable("unix:///nowhere/engine.sock")
        assert.instanceOf(failure, EngineUnavailable)
        assert.strictEqual(failure.reason, "not-found")
        assert.include(failure.message, "unix:///nowhere/engine.sock")
        assert.include(failure.message, "the test")
      })
    )

    it.scoped("tells a socket that its engine left behind, and a port where nobody listens", () =>
      Effect.gen(function* () {
        const fake = yield* fakeEngine(() => {})
        const left = `${fake.socketPath}.left`
        // A server that is killed leaves its socket's file: closing it in order would remove it.
        NodeChildProcess.spawnSync(process.execPath, [
          "-e",
          `require("net").createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, "SIGKILL"))`
        ])
        assert.isTrue(NodeFs.existsSync(left))
        const port = yield* Effect.async<number>((resume) => {
          const server = NodeNet.createServer().listen(0, "127.0.0.1", () => {
            const port = portOf(server)
            server.close(() => resume(Effect.succeed(port)))
          })
        })
        for (const host of [`unix://${left}`, `tcp://127.0.0.1:${port}`]) {
          const failure = yield* unavailable(host)
          assert.instanceOf(failure, EngineUnavailable)
          assert.strictEqual(failure.reason, "refused")
        }
      })
    )

    it.scoped("is lost when it closes the connection before it answers", () =>
      Effect.gen(function* () {
        const { engine } = yield* withEngine((_, response) => void response.destroy())
        assert.instanceOf(yield* Effect.flip(engine.ping), EngineDisconnected)
      })
    )
  })

  describe("addresses", () => {
    const built = (options: DockerEngine.Options) =>
      Effect.map(Layer.build(DockerEngine.layer(options)), (context) => context)

    it.scoped("reads sockets, pipes and tcp hosts with their default ports", () =>
      Effect.gen(function* () {
        const endpoint = (host: string, tls?: DockerEngine.EngineTls) =>
          DockerEngine.DockerEngine.pipe(
            Effect.map((engine) => engine.endpoint),
            Effect.provide(DockerEngine.layer({ host, tls }))
          )
        assert.strictEqual(yield* endpoint("unix:///run/docker.sock"), "unix:///run/docker.sock")
        assert.strictEqual(yield* endpoint("npipe:////./pipe/docker_engine"), "npipe:////./pipe/docker_engine")
        assert.strictEqual(yield* endpoint("tcp://10.0.0.1"), "tcp://10.0.0.1:2375")
        assert.strictEqual(yield* endpoint("10.0.0.1:80"), "tcp://10.0.0.1:80")
        assert.strictEqual(yield* endpoint("tcp://10.0.0.1/", {}), "tcp://10.0.0.1:2376")
        assert.strictEqual(yield* endpoint("tcp://[::1]:2375"), "tcp://[::1]:2375")
      })
    )

    it.scoped("refuses what it can not use, with advice and without a password", () =>
      Effect.gen(function* () {
        const hosts = [
          "unix://",
          "tcp://",
          "tcp://h:x",
          "tcp://h/path",
          "http://h",
          "ssh://bob:pa55@h",
          "ssh://bob:pa55/word@h",
          "tcp://u:pa55@h",
          "ftp://h"
        ]
        for (const host of hosts) {
          const failure = yield* Effect.flip(built({ host, origin: "DOCKER_HOST" }))
          assert.instanceOf(failure, EngineContextInvalid, host)
          assert.include(failure.message, "DOCKER_HOST")
          assert.notInclude(failure.message, "pa55")
        }
      })
    )

    it.scoped("is told from one that wants TLS, and a refusal in other words stays one", () =>
      Effect.gen(function* () {
        let said = "Client sent an HTTP request to an HTTPS server.\n"
        const { engine } = yield* withEngine((_, response) => {
          response.writeHead(400)
          response.end(said)
        })
        const failure = yield* Effect.flip(engine.ping)
        assert.instanceOf(failure, EngineUnavailable)
        assert.strictEqual(failure.reason, "tls")
        assert.include(failure.message, "set DOCKER_TLS_VERIFY=1")
        said = "invalid reference format"
        assert.instanceOf(yield* Effect.flip(engine.ping), EngineRejected)
      })
    )

    it.scoped("reaches an engine over tcp, by address and by IPv6", () =>
      Effect.gen(function* () {
        const fake = yield* fakeEngine(answering(200, "OK", { "api-version": "1.51" }))
        for (const address of ["127.0.0.1", "::1"]) {
          const port = yield* forward(address, fake.socketPath)
          const host = `tcp://${address.includes(":") ? `[${address}]` : address}:${port}`
          const engine = yield* engineAt(host)
          assert.deepStrictEqual(yield* engine.ping, { apiVersion: "1.51" })
        }
      })
    )

    /** A TCP port that leads to the fake engine's socket. */
    const forward = (address: string, socketPath: string) =>
      Effect.map(
        Effect.acquireRelease(
          Effect.async<NodeNet.Server>((resume) => {
            const server = NodeNet.createServer((socket) => {
              const behind = NodeNet.connect(socketPath)
              socket.on("error", () => {}).pipe(behind)
              behind.on("error", () => {}).pipe(socket)
            }).listen(0, address, () => resume(Effect.succeed(server)))
          }),
          (server) => Effect.sync(() => void server.close())
        ),
        portOf
      )

    const fromEnv = (environment: Record<string, string>) =>
      Layer.build(DockerEngine.layerFromEnv).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
        Effect.flatMap((context) => Effect.provide(DockerEngine.DockerEngine, context))
      )

    it.scoped("takes its address from the environment, and says so", () =>
      Effect.gen(function* () {
        const byHost = yield* fromEnv({ DOCKER_HOST: "tcp://10.0.0.1:2375" })
        assert.deepStrictEqual([byHost.endpoint, byHost.origin], ["tcp://10.0.0.1:2375", "DOCKER_HOST"])
        const byDefault = yield* fromEnv({ DOCKER_HOST: "", DOCKER_CONFIG: "/nowhere" })
        assert.strictEqual(byDefault.origin, "the default")
      })
    )

    it.scoped("verifies an engine over TLS and shows it the client's certificate", () =>
      Effect.gen(function* () {
        // A certificate for 127.0.0.1 that signs itself, and is authority, engine and client in one.
        const folder = fileURLToPath(new URL("../fixtures/engine-tls/", import.meta.url))
        const [cert, key] = ["cert.pem", "key.pem"].map((name) => NodeFs.readFileSync(NodePath.join(folder, name)))
        const options = { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true }
        const server = yield* Effect.acquireRelease(
          Effect.async<NodeHttps.Server>((resume) => {
            const server = NodeHttps.createServer(options, (_, response) => {
              response.writeHead(200, { "api-version": "1.51" })
              response.end("OK")
            })
            server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
          }),
          (server) => Effect.sync(() => void server.close().closeAllConnections())
        )
        const host = `tcp://127.0.0.1:${portOf(server)}`
        const engine = yield* fromEnv({ DOCKER_HOST: host, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder })
        assert.deepStrictEqual(yield* engine.ping, { apiVersion: "1.51" })

        const stranger = yield* Effect.provide(DockerEngine.DockerEngine, DockerEngine.layer({ host, tls: {} }))
        const failure = yield* Effect.flip(stranger.ping)
        assert.instanceOf(failure, EngineUnavailable)
        assert.strictEqual(failure.reason, "tls")

        const own = { certificate: String(cert), key: Redacted.make(String(key)) }
        const unsure = yield* Effect.provide(DockerEngine.DockerEngine, DockerEngine.layer({ host, tls: own }))
        assert.include((yield* Effect.flip(unsure.ping)).message, "self-signed certificate")
        const lax = DockerEngine.layer({ host, tls: { ...own, skipVerify: true } })
        assert.deepStrictEqual(
          yield* Effect.flatMap(DockerEngine.DockerEngine, ({ ping }) => ping).pipe(Effect.provide(lax)),
          { apiVersion: "1.51" }
        )
      })
    )

    it.scoped("wants the authority's certificate where DOCKER_CERT_PATH says", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(
          fromEnv({ DOCKER_HOST: "tcp://h", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nowhere/certs" })
        )
        assert.instanceOf(failure, EngineContextInvalid)
        assert.include(failure.message, "ca.pem")
        assert.include(failure.message, "/nowhere/certs")
      })
    )

    it.scoped("is not disturbed by a DOCKER_HOST that it was not told to use", () =>
      Effect.gen(function* () {
        const fake = yield* fakeEngine(answering(200, "OK", { "api-version": "1.51" }))
        const saved = process.env["DOCKER_HOST"]
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            if (saved === undefined) delete process.env["DOCKER_HOST"]
            else process.env["DOCKER_HOST"] = saved
          })
        )
        for (const value of ["tcp://[not a host", "tcp://203.0.113.1:2375"]) {
          process.env["DOCKER_HOST"] = value
          const engine = yield* engineAt(fake.host)
          assert.deepStrictEqual(yield* engine.ping, { apiVersion: "1.51" })
          assert.strictEqual(process.env["DOCKER_HOST"], value)
        }
      })
    )

    it.scoped("works over a client that stays its owner's", () =>
      Effect.gen(function* () {
        const fake = yield* fakeEngine(answering(200, "OK", { "api-version": "1.51" }))
        const client = new Dockerode({ socketPath: fake.socketPath })
        const engine = yield* Effect.provide(DockerEngine.DockerEngine, DockerEngine.layerFromClient(client))
        assert.strictEqual(engine.endpoint, fake.host)
        assert.deepStrictEqual(yield* engine.ping, { apiVersion: "1.51" })
        assert.strictEqual(yield* engine.use((lent) => Promise.resolve(lent)), client)
      })
    )
  })

  describe("secrets", () => {
    const script = fileURLToPath(new URL("./pushWithDebug.ts", import.meta.url))
    const tsx = fileURLToPath(new URL("../../node_modules/tsx/dist/cli.mjs", import.meta.url))

    it.scoped("stay out of what docker-modem prints under DEBUG", () =>
      Effect.gen(function* () {
        const { fake } = yield* withEngine(answering(200, resultLine))
        const output = yield* Effect.async<string>((resume) => {
          const child = NodeChildProcess.execFile(
            process.execPath,
            [tsx, script, fake.host],
            { env: { PATH: process.env["PATH"], DEBUG: "*" }, cwd: NodePath.dirname(script) },
            (_, stdout, stderr) => resume(Effect.succeed(stdout + stderr))
          )
          return Effect.sync(() => void child.kill())
        })
        assert.include(output, "modem Sending")
        assert.include(output, "pushed")
        const header = String(fake.seen[0]?.headers["x-registry-auth"])
        assert.deepInclude(authOf(fake.seen[0]), { password: "s3cret-in-debug" })
        assert.notInclude(output, header)
        assert.notInclude(output, "s3cret-in-debug")
        assert.notInclude(output, header.slice(8, 40))
      })
    )

    it("are never dockerode's in a program that only imports gantry's engine", () => {
      const loaded = NodeChildProcess.spawnSync(
        process.execPath,
        [
          tsx,
          "-e",
          `import("${new URL("../../src/engine/DockerEngine.ts", import.meta.url)}").then(() => {
            const { createRequire } = require("node:module")
            const cache = createRequire("${script}")("node:module")._cache
            console.log(Object.keys(cache).filter((path) => path.includes("docker-modem")).length)
          })`
        ],
        { encoding: "utf8" }
      )
      assert.strictEqual(loaded.stdout.trim(), "0", loaded.stderr)
    })
  })
})
