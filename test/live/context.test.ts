import { execFile } from "node:child_process"
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import type * as EngineApi from "../../scripts/lib/stack/EngineApi.ts"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as DockerContext from "../../src/engine/DockerContext.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import { EngineContextInvalid, EngineUnavailable } from "../../src/engine/EngineError.ts"
import { run, start, temporaryFolder } from "./support/command.ts"
import { plainPort, podmanService, sshProcesses, sshServer, type TlsEngine, tlsEngine } from "./support/engines.ts"
import { describeLive, LiveStack, skopeoInspect, uniqueRepository } from "./support/stack.ts"

type Environment = Readonly<Record<string, string>>

const docker = (environment: Environment, ...parameters: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/nowhere", ...environment }
    const answer = await promisify(execFile)("docker", parameters, { env }).catch((error) => error)
    return { stdout: String(answer.stdout), stderr: String(answer.stderr) }
  })

/** A folder as Docker's own, with contexts that the docker command made. */
const dockerFolder = (contexts: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    // Without a section of credentials the docker command looks for a helper, and writes it there.
    yield* Effect.promise(() => writeFile(join(folder, "config.json"), `{"auths":{"placeholder.invalid":{}}}`))
    for (const [name, endpoint] of Object.entries(contexts)) {
      yield* docker({ DOCKER_CONFIG: folder }, "context", "create", name, "--docker", endpoint)
    }
    return folder
  })

const within =
  (environment: Environment) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withConfigProvider(
      effect,
      ConfigProvider.fromMap(new Map(Object.entries({ HOME: "/nowhere", ...environment })))
    )

/** What a ping of the chosen engine fails with. */
const failure = (environment: Environment, choice: DockerContext.Choice = {}) =>
  Effect.flatMap(DockerEngine.DockerEngine, ({ ping }) => ping).pipe(
    Effect.provide(DockerEngine.layerFromContext(choice)),
    within(environment),
    Effect.scoped,
    Effect.flip
  )

const tlsFiles = ({ files }: TlsEngine) => `ca=${files.ca},cert=${files.certificate},key=${files.key}`

/** A folder with certificates under the names that DOCKER_CERT_PATH wants. */
const certificateFolder = (files: Partial<TlsEngine["files"]>) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const names = { ca: "ca.pem", certificate: "cert.pem", key: "key.pem" } as const
    yield* Effect.promise(() =>
      Promise.all(
        Object.entries(files).map(([name, file]) => copyFile(file, join(folder, names[name as keyof typeof names])))
      )
    )
    return folder
  })

/** The PATH of this process begins with another one's first folder, for what is not started with an environment. */
const withPath = (path: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const saved = process.env["PATH"]
      process.env["PATH"] = path
      return saved
    }),
    (saved) =>
      Effect.sync(() => {
        process.env["PATH"] = saved
      })
  )

/** An image in an engine, named for the open registry. */
const imageIn = (api: EngineApi.EngineApi, name: string) =>
  Effect.gen(function* () {
    const { registries } = yield* LiveStack
    const reference = `${registries.open.host}/${uniqueRepository(name)}:v1`
    yield* api.load(ImageFixture.make({ tags: [reference], layers: [{ seed: reference, size: 300_000 }] }))
    return reference
  })

/** Pushes with the command, and asks skopeo for the digest that the registry has. */
const pushes = (reference: string, parameters: ReadonlyArray<string>, environment: Environment) =>
  Effect.gen(function* () {
    const ended = yield* run(["push", reference, ...parameters], { environment })
    assert.strictEqual(ended.code, 0, ended.stderr)
    const { digest } = yield* skopeoInspect(reference)
    assert.strictEqual(ended.stdout, `${reference.replace(/:v1$/, "")}@${digest}\n`)
    const again = yield* run(["push", reference, ...parameters, "--output", "json"], { environment })
    assert.deepInclude(JSON.parse(again.stdout).results[0], { digest, status: "unchanged" })
  })

describeLive("a push through another engine", (it) => {
  it.scoped("behind TLS by DOCKER_HOST, and by a named context that the docker command made", () =>
    Effect.gen(function* () {
      const tls = yield* tlsEngine
      const certificates = yield* certificateFolder(tls.files)
      const first = yield* imageIn(tls.engine.api, "tls-host")
      const variables = { DOCKER_HOST: tls.address, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates }
      yield* pushes(first, [], variables)

      const folder = yield* dockerFolder({ "prod-tls": `host=${tls.address},${tlsFiles(tls)}` })
      const second = yield* imageIn(tls.engine.api, "tls-context")
      yield* pushes(second, ["--context", "prod-tls"], { DOCKER_CONFIG: folder })
      yield* pushes(yield* imageIn(tls.engine.api, "tls-variable"), [], {
        DOCKER_CONFIG: folder,
        GANTRY_CONTEXT: "prod-tls"
      })
      yield* docker({ DOCKER_CONFIG: folder }, "context", "use", "prod-tls")
      yield* pushes(yield* imageIn(tls.engine.api, "tls-current"), [], { DOCKER_CONFIG: folder })
      const { endpoint, origin } = yield* DockerEngine.DockerEngine.pipe(
        Effect.provide(DockerEngine.layerFromEnv),
        within({ DOCKER_CONFIG: folder })
      )
      assert.strictEqual(endpoint, tls.address)
      assert.strictEqual(origin, `context "prod-tls" (currentContext in ${folder}/config.json)`)
    })
  )

  it.scoped("behind a sshd, with the keys and the known hosts of ~/.ssh, and leaves no ssh", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const server = yield* sshServer(engine.host)
      const environment = { PATH: server.path }
      const lab = `ssh://${server.hosts.lab}`
      const byHost = yield* imageIn(engine.api, "ssh-host")
      yield* pushes(byHost, [], { ...environment, DOCKER_HOST: lab })
      yield* pushes(yield* imageIn(engine.api, "ssh-option"), ["--host", `${lab}${engine.socket}`], environment)
      const folder = yield* dockerFolder({ "build-host": `host=${lab}` })
      yield* pushes(yield* imageIn(engine.api, "ssh-context"), ["--context", "build-host"], {
        ...environment,
        DOCKER_CONFIG: folder
      })
      assert.strictEqual(yield* sshProcesses(server), 0)
    })
  )

  it.scoped("behind a sshd, stopped in the middle, leaves no ssh", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const server = yield* sshServer(engine.host)
      const reference = `${registries.open.host}/${uniqueRepository("ssh-stopped")}:v1`
      const layers = [{ seed: reference, size: 256 * ImageFixture.MiB }]
      yield* engine.api.load(ImageFixture.make({ tags: [reference], layers }))
      const events = join(yield* temporaryFolder, "events")
      const pushing = yield* start(["push", reference, "--events", events], {
        environment: { PATH: server.path, DOCKER_HOST: `ssh://${server.hosts.lab}` }
      })
      yield* Effect.promise(async () => {
        while (!(await readFile(events, "utf8").catch(() => "")).includes("LayerProgress")) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      })
      assert.isAbove(yield* sshProcesses(server), 0)
      pushing.child.kill("SIGINT")
      assert.strictEqual((yield* pushing.ended).code, 130)
      assert.strictEqual(yield* sshProcesses(server), 0)
    })
  )

  it.scoped("of Podman's service, by DOCKER_HOST and by a context", () =>
    Effect.gen(function* () {
      const podman = yield* podmanService
      yield* pushes(yield* imageIn(podman.api, "podman-host"), [], { DOCKER_HOST: podman.host })
      const folder = yield* dockerFolder({ podman: `host=${podman.host}` })
      const reference = yield* imageIn(podman.api, "podman-context")
      yield* pushes(reference, ["--context", "podman"], { DOCKER_CONFIG: folder })
      const other = reference.replace(/:v1$/, ":v2")
      const ended = yield* run(["push", reference, "--to", other], { environment: { DOCKER_HOST: podman.host } })
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.include(ended.stdout, (yield* skopeoInspect(other)).digest)
      const missing = yield* run(["push", `${reference}-gone`, "--retries", "0"], {
        environment: { DOCKER_HOST: podman.host }
      })
      assert.strictEqual(missing.code, 1)
      assert.include(missing.stderr, "gone")
    })
  )
})

describeLive("an engine that can not be reached", (it) => {
  it.scoped("by a context that is not there, whose name the command tells with those there are", () =>
    Effect.gen(function* () {
      const folder = yield* dockerFolder({ production: "host=unix:///nowhere.sock" })
      const error = yield* failure({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: "prodution" })
      assert.instanceOf(error, EngineContextInvalid)
      assert.include(error.message, 'are "default", "production" (did you mean production?)')
      const ended = yield* run(["push", "app:1", "--context", "nope"], { environment: { DOCKER_CONFIG: folder } })
      assert.strictEqual(ended.code, 1)
      assert.include(ended.stderr, '--context is "nope", which can not be used.')
    })
  )

  it.scoped("by a context and an address at once, which is a usage error", () =>
    Effect.gen(function* () {
      const ended = yield* run(["push", "app:1", "--context", "prod", "--host", "unix:///x"])
      assert.strictEqual(ended.code, 2)
      const mixed = yield* run(["push", "app:1", "--host", "unix:///x"], { environment: { GANTRY_CONTEXT: "prod" } })
      assert.strictEqual(mixed.code, 2)
      assert.include(mixed.stderr, "GANTRY_CONTEXT")
    })
  )

  it.scoped("by TLS that does not fit", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const tls = yield* tlsEngine
      const folder = yield* dockerFolder({
        plain: `host=${tls.address}`,
        lax: `host=${tls.address},skip-tls-verify=true`
      })
      const unavailable = (environment: Environment, choice: DockerContext.Choice = {}) =>
        Effect.map(failure({ DOCKER_CONFIG: folder, ...environment }, choice), (error) => {
          assert.instanceOf(error, EngineUnavailable)
          assert.strictEqual(error.reason, "tls", error.message)
          assert.isFalse(error.isRetryable)
          return error.message
        })
      const plain = "speaks TLS, and was asked without; set DOCKER_TLS_VERIFY=1"
      assert.include(yield* unavailable({ DOCKER_HOST: tls.address }), plain)
      assert.include(yield* unavailable({}, { context: "plain" }), plain)

      // The client's own certificate is missing.
      const authority = yield* certificateFolder({ ca: tls.files.ca })
      yield* unavailable({ DOCKER_HOST: tls.address, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: authority })
      yield* unavailable({}, { context: "lax" })

      // An authority that did not sign the engine's certificate.
      const other = yield* certificateFolder({ ...tls.files, ca: tls.files.certificate })
      yield* unavailable({ DOCKER_HOST: tls.address, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: other })
      const lax = yield* Effect.flatMap(DockerEngine.DockerEngine, ({ version }) => version).pipe(
        Effect.provide(DockerEngine.layerFromEnv),
        within({ DOCKER_HOST: tls.address, DOCKER_TLS: "1", DOCKER_CERT_PATH: other })
      )
      assert.strictEqual(lax.os, "linux")

      const forward = yield* plainPort(engine.socket)
      const certificates = yield* certificateFolder(tls.files)
      assert.include(
        yield* unavailable({ DOCKER_HOST: forward, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: certificates }),
        "speaks no TLS there"
      )
    })
  )

  it.scoped("with a key that can not be read, or is encrypted", () =>
    Effect.gen(function* () {
      const tls = yield* tlsEngine
      const folder = yield* certificateFolder(tls.files)
      const key = join(folder, "key.pem")
      const invalid = Effect.map(
        failure({ DOCKER_HOST: tls.address, DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder }),
        (error) => {
          assert.instanceOf(error, EngineContextInvalid)
          return error.message
        }
      )
      yield* Effect.promise(() =>
        promisify(execFile)("openssl", ["pkey", "-in", tls.files.key, "-aes256", "-passout", "pass:x", "-out", key])
      )
      assert.include(yield* invalid, "key.pem) is encrypted")
      // Root reads every file: a folder in its place is what nobody can read.
      yield* Effect.promise(() => rm(key).then(() => mkdir(key)))
      assert.include(yield* invalid, `${key} can not be read (EISDIR)`)
    })
  )

  it.scoped("behind a sshd that is unknown, does not know us, or is not there", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const server = yield* sshServer(engine.host)
      yield* withPath(server.path)
      const unavailable = (host: string, environment: Environment = {}) =>
        Effect.map(failure({ DOCKER_HOST: `ssh://${host}`, ...environment }), (error) => {
          assert.instanceOf(error, EngineUnavailable)
          return error
        })
      const { keyless, lab, nowhere, stranger } = server.hosts
      const unknown = yield* unavailable(stranger)
      assert.deepStrictEqual([unknown.reason, unknown.isRetryable], ["ssh", false])
      assert.include(unknown.message, "Host key verification failed")
      const denied = yield* unavailable(keyless)
      assert.strictEqual(denied.reason, "ssh")
      assert.include(denied.message, "Permission denied (publickey)")
      const refused = yield* unavailable(nowhere)
      assert.deepStrictEqual([refused.reason, refused.isRetryable], ["refused", true])
      const stopped = yield* unavailable(`${lab}/nowhere.sock`)
      assert.strictEqual(stopped.reason, "not-found", stopped.message)
      assert.strictEqual(yield* sshProcesses(server), 0)
    })
  )
})

/** Some of what says which engine is meant; `use` is what `docker context use` was told. */
interface Way {
  readonly environment?: Environment | undefined
  readonly choice?: DockerContext.Choice | undefined
  readonly use?: string | undefined
}

describeLive("which engine is meant", (it) => {
  it.scoped("is what the docker command says it is", () =>
    Effect.gen(function* () {
      const folder = yield* dockerFolder({
        chosen: "host=unix:///chosen",
        env: "host=unix:///env",
        used: "host=unix:///used"
      })
      const nothing: Way = {}
      const ways: ReadonlyArray<Way> = [
        { choice: { context: "chosen" } },
        { choice: { host: "unix:///given" } },
        { environment: { DOCKER_HOST: "unix:///host" } },
        { environment: { DOCKER_CONTEXT: "env" } },
        { use: "used" }
      ]
      const more: ReadonlyArray<Way> = [
        { choice: { context: "default" }, environment: { DOCKER_HOST: "unix:///host" } },
        { environment: { DOCKER_CONTEXT: "default" }, use: "used" },
        { environment: { DOCKER_TLS_VERIFY: "" } },
        { environment: { DOCKER_HOST: "tcp://127.0.0.1:1" } },
        { environment: { DOCKER_HOST: "127.0.0.1:1" } },
        { environment: { DOCKER_HOST: "tcp://127.0.0.1" } }
      ]
      const combined = Array.from({ length: 2 ** ways.length }, (_, mask) =>
        ways
          .filter((_, index) => (mask & (1 << index)) !== 0)
          .reduce(
            (all, part) => ({
              environment: { ...all.environment, ...part.environment },
              choice: { ...all.choice, ...part.choice },
              use: part.use ?? all.use
            }),
            nothing
          )
      )
      for (const { choice = {}, environment = {}, use } of [...combined, ...more]) {
        yield* docker({ DOCKER_CONFIG: folder }, "context", "use", use ?? "default")
        const options = Object.entries(choice).flatMap(([name, value]) => [`--${name}`, value])
        const all = { DOCKER_CONFIG: folder, ...environment }
        const { stderr } = yield* docker(all, ...options, "ps")
        const said = /at (\S+:\/\/\S+)\. Is the docker daemon running/.exec(stderr)?.[1]
        const meant = yield* Effect.either(DockerContext.resolve(choice).pipe(within(all)))
        const ours = meant._tag === "Right" ? meant.right.host : undefined
        assert.strictEqual(said === undefined, options.length > 2, stderr)
        assert.strictEqual(ours, said, JSON.stringify({ options, environment, use, stderr }))
      }
    })
  )
})
