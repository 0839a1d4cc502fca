import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../src/credential/Credential.ts"
import * as Keychain from "../../src/credential/Keychain.ts"
import { helperPrograms } from "./support/helperPrograms.ts"
import { assertHidesCanary, canary } from "./support/secrets.ts"

helperPrograms({
  store: `case "$(cat)" in
reg.io) echo '{"Username":"stored","Secret":"x"}';;
*) echo credentials not found in native keychain; exit 1;;
esac`,
  broken: `echo '${canary.replaceAll("'", "")}'; exit 1`
})

const file = (auths: Readonly<Record<string, string | object>>, rest: object = {}) =>
  JSON.stringify({
    auths: Object.fromEntries(
      Object.entries(auths).map(([key, entry]) => [
        key,
        typeof entry === "string" ? { auth: Encoding.encodeBase64(`${entry}:pw`) } : entry
      ])
    ),
    ...rest
  })

/** A home folder with these files, and a keychain of a machine with that home and these variables. */
const machine = (files: Readonly<Record<string, string>>, variables: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "gantry-home-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )
    const path = (name: string) => join(home, name)
    const write = (name: string, text: string) =>
      Effect.promise(async () => {
        await mkdir(dirname(path(name)), { recursive: true })
        await writeFile(path(name), text)
      })
    yield* Effect.forEach(Object.entries(files), ([name, text]) => write(name, text))
    const environment = new Map(
      Object.entries({ HOME: home, XDG_RUNTIME_DIR: path("run"), ...variables }).map(([name, value]) => [
        name,
        value.replace("~", home)
      ])
    )
    const logged: Array<unknown> = []
    const layer = Keychain.layer.pipe(
      Layer.provide(NodeContext.layer),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(environment))),
      Layer.provideMerge(
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => {
            logged.push(message)
          })
        )
      )
    )
    const context = yield* Layer.build(layer)
    return {
      logged,
      path,
      write,
      find: (host: string, repository?: string) =>
        Effect.flatMap(Keychain.Keychain, (keychain) => keychain.find(host, { repository })).pipe(
          Effect.provide(context)
        )
    }
  })

const usernameOf = (resolved: Option.Option<Credential.ResolvedCredential>) =>
  Option.getOrUndefined(
    Option.map(resolved, ({ credential: { kind } }) => (kind._tag === "UsernamePassword" ? kind.username : kind._tag))
  )

const atOnce = { concurrency: "unbounded" } as const

const docker = ".docker/config.json"
const podman = "run/containers/auth.json"
const podmanHome = ".config/containers/auth.json"

describe("Keychain", () => {
  it.scoped("gives the credential of a host and where it was found", () =>
    Effect.gen(function* () {
      const { find, path } = yield* machine({ [docker]: file({ "reg.io": "bot" }) })
      const found = Option.getOrThrow(yield* find("REG.io", "team/app"))
      const password = Redacted.make("pw")
      assert.isTrue(
        Equal.equals(found.credential, Credential.usernamePassword({ host: "reg.io", username: "bot", password }))
      )
      assert.deepInclude(found, { origin: path(docker), revalidate: true })
    })
  )

  it.effect("reads a file once for all who ask for a host at the same time, and again for who asks later", () =>
    Effect.gen(function* () {
      const { find } = yield* Keychain.Keychain
      const read = (count: number) =>
        Effect.all(
          Array.from({ length: count }, () => find("reg.io")),
          atOnce
        )
      assert.deepStrictEqual((yield* read(8)).map(usernameOf), Array(8).fill("bot-1"))
      assert.deepStrictEqual((yield* read(1)).map(usernameOf), ["bot-2"])
      const [reg, other] = yield* Effect.all([find("reg.io"), find("other.io")], atOnce)
      assert.deepStrictEqual([usernameOf(reg), usernameOf(other)], ["bot-3", undefined])
    }).pipe(
      Effect.provide(
        Layer.provide(
          Keychain.layerFiles({ dockerConfigFile: "config.json", containersAuthFiles: [] }),
          Layer.sync(FileSystem.FileSystem, () => {
            let reads = 0
            return FileSystem.makeNoop({
              readFileString: () =>
                Effect.zipRight(
                  Effect.yieldNow(),
                  Effect.sync(() => file({ "reg.io": `bot-${++reads}` }))
                )
            })
          })
        )
      )
    )
  )

  it.scoped("gives each repository its own credential, also when they are asked for at the same time", () =>
    Effect.gen(function* () {
      const { find } = yield* machine({ [podman]: file({ "quay.io/a": "bot-a", "quay.io/b": "bot-b" }) })
      const found = yield* Effect.all([find("quay.io", "a/app"), find("quay.io", "b/app")], atOnce)
      assert.deepStrictEqual(found.map(usernameOf), ["bot-a", "bot-b"])
    })
  )

  it.scoped("knows nothing on a machine without any file", () =>
    Effect.gen(function* () {
      const { find } = yield* machine({})
      assert.deepStrictEqual(yield* find("reg.io"), Option.none())
    })
  )

  it.scoped("asks DOCKER_AUTH_CONFIG, Docker's file and podman's two, in this order", () =>
    Effect.gen(function* () {
      const { find } = yield* machine(
        {
          [docker]: file({ "1.io": "docker", "2.io": "docker" }),
          [podman]: file({ "1.io": "session", "2.io": "session", "3.io": "session" }),
          [podmanHome]: file({ "1.io": "home", "2.io": "home", "3.io": "home", "4.io": "home" })
        },
        { DOCKER_AUTH_CONFIG: file({ "1.io": "variable" }) }
      )
      const found = yield* Effect.forEach(["1.io", "2.io", "3.io", "4.io", "5.io"], (host) => find(host))
      assert.deepStrictEqual(found.map(usernameOf), ["variable", "docker", "session", "home", undefined])
      assert.strictEqual(Option.getOrThrow(yield* find("1.io")).origin, "DOCKER_AUTH_CONFIG")
    })
  )

  it.scoped("takes the folder of Docker's file from DOCKER_CONFIG, and podman's from XDG_CONFIG_HOME", () =>
    Effect.gen(function* () {
      const { find } = yield* machine(
        {
          [docker]: file({ "1.io": "home" }),
          "ci/config.json": file({ "1.io": "ci" }),
          [podmanHome]: file({ "2.io": "home" }),
          "xdg/containers/auth.json": file({ "2.io": "xdg" })
        },
        { DOCKER_CONFIG: "~/ci", XDG_CONFIG_HOME: "~/xdg" }
      )
      assert.strictEqual(usernameOf(yield* find("1.io")), "ci")
      assert.strictEqual(usernameOf(yield* find("2.io")), "xdg")
    })
  )

  it.scoped("takes an empty variable for none", () =>
    Effect.gen(function* () {
      const { find } = yield* machine(
        { [docker]: file({ "1.io": "home" }) },
        { DOCKER_CONFIG: "", DOCKER_AUTH_CONFIG: "", REGISTRY_AUTH_FILE: "" }
      )
      assert.strictEqual(usernameOf(yield* find("1.io")), "home")
    })
  )

  it.scoped("reads REGISTRY_AUTH_FILE instead of podman's own files", () =>
    Effect.gen(function* () {
      const { find } = yield* machine(
        {
          [docker]: file({ "1.io": "docker" }),
          [podman]: file({ "2.io": "session", "3.io": "session" }),
          "mine.json": file({ "1.io": "mine", "2.io": "mine" })
        },
        { REGISTRY_AUTH_FILE: "~/mine.json" }
      )
      const found = yield* Effect.forEach(["1.io", "2.io", "3.io"], (host) => find(host))
      assert.deepStrictEqual(found.map(usernameOf), ["docker", "mine", undefined])
    })
  )

  it.scoped("looks for the repository in podman's files, and for the host alone in Docker's", () =>
    Effect.gen(function* () {
      const auths = { "quay.io/team": "team", "quay.io": "host" }
      const inPodman = yield* machine({ [podman]: file(auths) })
      assert.strictEqual(usernameOf(yield* inPodman.find("quay.io", "team/app")), "team")
      assert.strictEqual(usernameOf(yield* inPodman.find("quay.io", "other/app")), "host")
      const inDocker = yield* machine({ [docker]: file(auths) })
      assert.strictEqual(usernameOf(yield* inDocker.find("quay.io", "team/app")), "host")
    })
  )

  it.scoped("asks the helper that a file names, and the next file when it holds nothing", () =>
    Effect.gen(function* () {
      const { find, path } = yield* machine({
        [docker]: file({ "reg.io": "file", "other.io": "file" }, { credsStore: "store" }),
        [podman]: file({ "reg.io": "session", "other.io": "session" })
      })
      const stored = yield* find("reg.io")
      assert.strictEqual(usernameOf(stored), "stored")
      assert.strictEqual(Option.getOrThrow(stored).origin, `docker-credential-store, named in ${path(docker)}`)
      assert.strictEqual(usernameOf(yield* find("other.io")), "session")
    })
  )

  it.scoped("reads a file again, so that a new login is picked up", () =>
    Effect.gen(function* () {
      const { find, write } = yield* machine({ [docker]: file({ "reg.io": "one" }) })
      assert.strictEqual(usernameOf(yield* find("reg.io")), "one")
      yield* write(docker, file({ "reg.io": "two" }))
      assert.strictEqual(usernameOf(yield* find("reg.io")), "two")
    })
  )

  it.scoped("fails for the hosts of a broken helper, whatever else holds them, and for no other", () =>
    Effect.gen(function* () {
      const { find } = yield* machine({
        [docker]: file(
          { "good.io": "docker", "bad.io": "docker" },
          {
            credHelpers: { "bad.io": "broken", "gone.io": "is-not-installed" }
          }
        ),
        [podman]: file({ "bad.io": "session" })
      })
      const failed = yield* Effect.flip(find("bad.io"))
      assert.deepInclude({ ...failed }, { _tag: "CredentialHelperError", host: "bad.io", reason: "failed" })
      const missing = yield* Effect.flip(find("gone.io"))
      assert.deepInclude({ ...missing }, { _tag: "CredentialHelperError", host: "gone.io", reason: "missing" })
      assert.strictEqual(usernameOf(yield* find("good.io")), "docker")
    })
  )

  it.scoped("reports a broken entry of another host, once and without its content", () =>
    Effect.gen(function* () {
      const { find, logged } = yield* machine({ [docker]: file({ "bad.io": { auth: canary }, "good.io": "docker" }) })
      assert.strictEqual(usernameOf(yield* find("good.io")), "docker")
      assert.strictEqual(usernameOf(yield* find("good.io")), "docker")
      assert.strictEqual(logged.length, 1)
      assert.include(String(logged[0]), "bad.io")
      assertHidesCanary(logged)
      assert.strictEqual((yield* Effect.flip(find("bad.io")))._tag, "DockerConfigError")
    })
  )

  for (const name of [docker, podman]) {
    it.scoped(`fails for a malformed ${name} and leaves it as it is, but not for what comes before it`, () =>
      Effect.gen(function* () {
        const text = `{"auths": {"reg.io": {"auth": ${JSON.stringify(canary)}},}}`
        const { find, path } = yield* machine({ [name]: text }, { DOCKER_AUTH_CONFIG: file({ "1.io": "variable" }) })
        const error = yield* Effect.flip(find("other.io"))
        assert.deepInclude({ ...error }, { _tag: "DockerConfigError", reason: "malformed", path: path(name) })
        assertHidesCanary(error)
        assert.strictEqual(usernameOf(yield* find("1.io")), "variable")
        assert.strictEqual(yield* Effect.promise(() => readFile(path(name), "utf8")), text)
      })
    )
  }

  it.scoped("fails for a malformed DOCKER_AUTH_CONFIG, which Docker would ignore", () =>
    Effect.gen(function* () {
      const { find } = yield* machine({}, { DOCKER_AUTH_CONFIG: `{"auths":{"reg.io":{"auth":"${canary}` })
      const error = yield* Effect.flip(find("reg.io"))
      assert.deepInclude({ ...error }, { _tag: "DockerConfigError", path: "DOCKER_AUTH_CONFIG", reason: "malformed" })
      assertHidesCanary(error)
    })
  )

  it.scoped("takes its files from any configuration", () =>
    Effect.gen(function* () {
      const { path } = yield* machine({ "a.json": file({ "reg.io": "bot" }) })
      const layer = Keychain.layerConfig({
        dockerConfigFile: Config.string("FILE"),
        containersAuthFiles: Config.succeed([])
      }).pipe(
        Layer.provide(NodeContext.layer),
        Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map([["FILE", path("a.json")]]))))
      )
      const found = yield* Effect.flatMap(Keychain.Keychain, (keychain) => keychain.find("reg.io")).pipe(
        Effect.provide(layer)
      )
      assert.strictEqual(usernameOf(found), "bot")
    })
  )

  it.effect("holds in memory just what it is given", () =>
    Effect.gen(function* () {
      const keychain = yield* Keychain.Keychain
      assert.strictEqual(usernameOf(yield* keychain.find("registry-1.docker.io")), "RegistryToken")
      assert.deepStrictEqual(yield* keychain.find("reg.io"), Option.none())
    }).pipe(
      Effect.provide(
        Keychain.layerMemory([Credential.registryToken({ host: "docker.io", token: Redacted.make(canary) })])
      )
    )
  )
})
