import { lstat, readdir, readFile, readlink, stat } from "node:fs/promises"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DockerFolder from "../../../src/cli/exec/DockerFolder.ts"

const node = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const auth = (password: string) => ({ auth: Buffer.from(`me:${password}`).toString("base64") })

/** A home with these files, and the folder that is made for a run there. */
const made = Effect.fnUntraced(function* (
  files: Readonly<Record<string, unknown>>,
  options: { readonly hosts: ReadonlyArray<string>; readonly variables?: Readonly<Record<string, string>> }
) {
  const fileSystem = yield* FileSystem.FileSystem
  const home = yield* fileSystem.makeTempDirectoryScoped()
  for (const [file, content] of Object.entries(files)) {
    const path = join(home, file)
    yield* fileSystem.makeDirectory(join(path, ".."), { recursive: true })
    yield* fileSystem.writeFileString(path, typeof content === "string" ? content : JSON.stringify(content))
  }
  const variables = { HOME: home, XDG_RUNTIME_DIR: home, PATH: "/one:/two", ...options.variables }
  const folder = yield* DockerFolder.make({ hosts: options.hosts, credentialHelper: "/lib/helper.js" }).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
  )
  const docker = join(folder.path, "docker")
  const text = yield* fileSystem.readFileString(join(docker, "config.json"))
  return { home, docker, text, config: JSON.parse(text), ...folder }
})

describe("the Docker folder of gantry exec", () => {
  it.scoped("asks gantry for its registries and for what lies in a file, and other helpers as before", () =>
    Effect.gen(function* () {
      const { config, others, text } = yield* made(
        {
          ".docker/config.json": {
            auths: {
              "https://index.docker.io/v1/": auth("hub-password"),
              "ghcr.io": auth("ghcr-password"),
              "quay.io": { identitytoken: "quay-token" },
              "gcr.io": {}
            },
            credHelpers: { "gcr.io": "gcloud", "reg.io": "pass", "https://reg.io/v1/": "pass", "file.io": "" }
          },
          "containers/auth.json": { auths: { "podman.io": auth("podman-password"), "gcr.io": auth("other-password") } }
        },
        {
          hosts: ["reg.io", "ghcr.io"],
          variables: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "ci.io:5000": auth("ci-password") } }) }
        }
      )
      assert.deepStrictEqual(config.credHelpers, {
        "gcr.io": "gcloud",
        "reg.io": "gantry",
        "ghcr.io": "gantry",
        "https://index.docker.io/v1/": "gantry",
        "docker.io": "gantry",
        "quay.io": "gantry",
        "file.io": "gantry",
        "ci.io:5000": "gantry",
        "podman.io": "gantry"
      })
      assert.strictEqual(config.credsStore, "gantry")
      assert.deepStrictEqual(Object.keys(config), ["credsStore", "credHelpers"])
      assert.sameMembers([...others], ["docker.io", "quay.io", "file.io", "ci.io:5000", "podman.io"])
      assert.notMatch(text, /password|token|bWU6/)
    }).pipe(Effect.provide(node))
  )

  it.scoped("keeps the store that the user chose, and all that is not about credentials", () =>
    Effect.gen(function* () {
      const kept = {
        currentContext: "lab",
        HttpHeaders: { "X-Meta": "1" },
        proxies: { default: { httpProxy: "http://proxy:3128" } },
        plugins: { buildx: { hooks: "build" } },
        cliPluginsExtraDirs: ["/opt/plugins"]
      }
      const { config } = yield* made(
        { ".docker/config.json": { ...kept, credsStore: "desktop", unknown: "secret" } },
        { hosts: ["reg.io"] }
      )
      assert.deepStrictEqual(config, { ...kept, credsStore: "desktop", credHelpers: { "reg.io": "gantry" } })
    }).pipe(Effect.provide(node))
  )

  it.scoped("is its user's alone, says where everything is, and goes with its scope", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const context = { ".docker/contexts/meta/abc/meta.json": "{}", ".docker/config.json": "{}" }
      const gone = yield* Effect.scoped(
        Effect.gen(function* () {
          const { docker, environment, home, path } = yield* made(context, { hosts: [] })
          assert.strictEqual((yield* Effect.promise(() => stat(path))).mode & 0o777, 0o700)
          assert.strictEqual((yield* Effect.promise(() => stat(join(docker, "config.json")))).mode & 0o777, 0o600)
          assert.isTrue((yield* Effect.promise(() => lstat(join(docker, "contexts")))).isSymbolicLink())
          assert.deepStrictEqual(yield* Effect.promise(() => readdir(join(docker, "contexts/meta"))), ["abc"])
          const link = join(path, "bin", "docker-credential-gantry")
          assert.strictEqual(yield* Effect.promise(() => readlink(link)), "/lib/helper.js")
          assert.deepInclude(environment, {
            GANTRY_EXEC: path,
            DOCKER_CONFIG: docker,
            REGISTRY_AUTH_FILE: join(docker, "config.json"),
            DOCKER_AUTH_CONFIG: undefined,
            BUILDX_CONFIG: join(home, ".docker", "buildx")
          })
          assert.isTrue(environment["PATH"]?.startsWith(`${join(path, "bin")}:/one:/two:`))
          return path
        })
      )
      assert.isFalse(yield* fileSystem.exists(gone))
    }).pipe(Effect.provide(node))
  )

  it.scoped("leaves what it links to when it goes", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const own = yield* fileSystem.makeTempDirectoryScoped()
      yield* fileSystem.makeDirectory(join(own, "contexts"))
      yield* fileSystem.writeFileString(join(own, "contexts", "meta.json"), "kept")
      yield* Effect.scoped(made({}, { hosts: [], variables: { DOCKER_CONFIG: own } }))
      assert.strictEqual(yield* Effect.promise(() => readFile(join(own, "contexts", "meta.json"), "utf8")), "kept")
    }).pipe(Effect.provide(node))
  )

  it.scoped("is not made when a file of credentials can not be read", () =>
    Effect.gen(function* () {
      for (const file of [".docker/config.json", "containers/auth.json"]) {
        const error = yield* Effect.flip(made({ [file]: "{ nonsense" }, { hosts: ["reg.io"] }))
        assert.match(error.message, /can not be used: it is not valid JSON/)
      }
    }).pipe(Effect.provide(node))
  )
})
