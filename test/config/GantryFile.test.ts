// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import * as PlatformError from "@effect/platform/Error"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TestTransport } from "gantry/testing"
import * as GantryFile from "../../src/config/GantryFile.ts"
import * as Interpolation from "../../src/config/Interpolation.ts"
import { FileScope, makeFileScope } from "../../src/config/internal/fileScope.ts"
import * as ConnectorType from "../../src/connector/ConnectorType.ts"
import * as Credential from "../../src/credential/Credential.ts"
import { SecretStore } from "../../src/credential/SecretStore.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import { RegistryCatalog } from "../../src/registry/RegistryCatalog.ts"
import { canary } from "../credential/support/secrets.ts"
import { example, parse, withVariables } from "./support.ts"

const printed = (file: GantryFile.GantryFile) =>
  GantryFile.requests(file).map(({ source, target }) => `${source} -> ${target}`)

/** A disk with these files and a working directory on it. */
const disk = (files: Readonly<Record<string, string | Uint8Array>>, folder = "/") => {
  const contents = new Map(Object.entries(files))
  const fileSystem = FileSystem.layerNoop({
    exists: (path) => Effect.succeed(contents.has(path)),
    readFile: (path) => {
      const content = contents.get(path)
      if (content !== undefined) {
        return Effect.succeed(typeof content === "string" ? new TextEncoder().encode(content) : content)
      }
      return new PlatformError.SystemError({ module: "FileSystem", method: "readFile", reason: "NotFound" })
    }
  })
  const path = Layer.map(NodePath.layer, (context) => {
    const node = Context.get(context, Path.Path)
    return Context.make(Path.Path, { ...node, resolve: (...segments) => node.resolve(folder, ...segments) })
  })
  return { contents, layer: Layer.merge(fileSystem, path) }
}

describe("GantryFile", () => {
  describe("protect", () => {
    it.scoped("reaches the registry, which then keeps its tags", () =>
      Effect.gen(function* () {
        const file = yield* parse(
          'version: 1\nregistries: { prod: { uri: reg.io, protect: ["v*"] }, free: { uri: free.io } }'
        )
        const { free, prod } = GantryFile.registryOptions(file, Authentication.anonymous)
        assert.deepStrictEqual([prod?.protect, free?.protect], [["v*"], undefined])
      })
    )
  })

  describe("parseBatch", () => {
    const options = { path: "/project/release.yaml", variables: { N: "3" } }
    const configured = parse(
      'version: 1\nregistries: { prod: { uri: reg.io/team } }\npushes: [{ source: a:1, to: "@prod/a" }]'
    )

    it.effect("puts a list in the place of the configured file's pushes, and may use its names", () =>
      Effect.gen(function* () {
        const text = '- { source: "b:${N}", to: ["@prod/b", "x.io/b"] }'
        const file = yield* GantryFile.parseBatch(text, { ...options, file: configured })
        assert.deepStrictEqual(printed(file), [
          "docker://docker.io/library/b:3 -> reg.io/team/b:3",
          "docker://docker.io/library/b:3 -> x.io/b:3"
        ])
        assert.deepStrictEqual([Object.keys(file.registries), file.pushes[0]?.registries], [["prod"], ["prod"]])
      }).pipe(Effect.provide(NodePath.layer), withVariables({}))
    )

    it.effect("takes a mapping for a whole file, and does not look at the configured one", () =>
      Effect.gen(function* () {
        const text = "version: 1\npushes: [{ source: b:1, to: x.io/b }]"
        const file = yield* GantryFile.parseBatch(text, { ...options, file: Effect.dieMessage("it was looked at") })
        assert.deepStrictEqual(printed(file), ["docker://docker.io/library/b:1 -> x.io/b:1"])
      }).pipe(Effect.provide(NodePath.layer), withVariables({}))
    )

    it.effect("says what is wrong with a list where it stands", () =>
      Effect.gen(function* () {
        const { lines } = yield* Effect.flip(
          GantryFile.parseBatch('- { source: a:1, to: "@prdo/a" }\n- { source: A:1, to: x.io/a }', {
            ...options,
            file: Effect.orDie(configured)
          })
        )
        assert.strictEqual(lines.length, 2)
        assert.match(lines[0] ?? "", /^\/project\/release\.yaml:1:22: \[0\]\.to: .*did you mean @prod/)
        assert.match(lines[1] ?? "", /^\/project\/release\.yaml:2:13: \[1\]\.source: expected/)
      }).pipe(Effect.provide(NodePath.layer), withVariables({}))
    )
  })

  describe("parse", () => {
    it.effect("gives sources × targets × tags in the order of the file", () =>
      Effect.gen(function* () {
        const file = yield* parse(example, { VERSION: "2.0" })
        assert.deepStrictEqual(printed(file), [
          "docker://docker.io/library/app:2.0 -> acme.azurecr.io/app:2.0",
          "docker://docker.io/library/app:2.0 -> acme.azurecr.io/app:latest",
          "docker://docker.io/library/app:2.0 -> ghcr.io/acme/app:2.0",
          "docker://docker.io/library/app:2.0 -> ghcr.io/acme/app:latest",
          "oci:./build/worker#1.4.2 -> acme.azurecr.io/worker:1.4.2"
        ])
      })
    )

    it.effect("reads JSON as well, and a file with nothing but its version", () =>
      Effect.gen(function* () {
        const file = yield* parse(
          '{"version": 1, "pushes": [{"source": "app", "to": "ghcr.io/acme/app", "tags": "1"}]}'
        )
        assert.deepStrictEqual(printed(file), ["docker://docker.io/library/app -> ghcr.io/acme/app:1"])
        const empty = yield* parse("version: 1")
        assert.deepStrictEqual(empty, { version: 1, registries: {}, connectors: {}, secrets: {}, pushes: [] })
      })
    )

    it.effect("reads aliases as what their anchors have", () =>
      Effect.gen(function* () {
        const file = yield* parse(
          "version: 1\npushes:\n- { source: a, to: &to [x.io/a, y.io/b] }\n- { source: b, to: *to }"
        )
        assert.lengthOf(printed(file), 4)
      })
    )

    it.effect("puts variables into addresses, sources, targets and tags", () =>
      Effect.gen(function* () {
        const file = yield* parse(
          "version: 1\nregistries: { prod: { uri: '${HOST:-reg.io}/${TEAM}' } }\npushes:\n- { source: '${APP}:1', to: '@prod/${APP}', tags: ['v${N}'] }",
          { TEAM: "team", APP: "app", N: "7" }
        )
        assert.deepStrictEqual(printed(file), ["docker://docker.io/library/app:1 -> reg.io/team/app:v7"])
      })
    )

    it.effect("prefers given variables to the environment's", () =>
      Effect.gen(function* () {
        const file = yield* GantryFile.parse("version: 1\npushes: [{ source: '${A}:${B}', to: 'x.io/a' }]", {
          path: "gantry.yaml",
          variables: { A: "given" }
        })
        assert.deepStrictEqual(printed(file), ["docker://docker.io/library/given:2 -> x.io/a:2"])
      }).pipe(Effect.provide(NodePath.layer), withVariables({ A: "found", B: "2" }))
    )

    it.effect("knows the flavors of the application", () =>
      Effect.gen(function* () {
        const harbor = RegistryFlavor.make({ name: "harbor" })
        const file = yield* parse("version: 1\nregistries: { prod: { uri: h.io/x, flavor: harbor } }").pipe(
          Effect.provideService(RegistryFlavor.RegistryFlavors, [harbor])
        )
        assert.strictEqual(file.registries["prod"]?.flavor, harbor)
      })
    )

    it.effect("gives a file that encodes to one that reads the same", () =>
      Effect.gen(function* () {
        const file = yield* parse(example, { VERSION: "2.0" })
        const scope = makeFileScope({}, { lookup: Interpolation.lookup({}), resolvePath: (path) => path })
        const encoded = yield* Effect.provideServiceEffect(Schema.encode(GantryFile.GantryFile)(file), FileScope, scope)
        assert.deepStrictEqual(printed(yield* parse(JSON.stringify(encoded))), printed(file))
      })
    )
  })

  describe("jsonSchema", () => {
    /** Every mapping of a JSON Schema, wherever it stands. */
    const mappings = (schema: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> => {
      if (!Predicate.isReadonlyRecord(schema)) return Array.isArray(schema) ? schema.flatMap(mappings) : []
      const inner = Object.values(schema).flatMap(mappings)
      return schema["type"] === "object" ? [schema, ...inner] : inner
    }

    it("describes every field, says what it may be, and takes no field that it does not know", () => {
      const names = mappings(GantryFile.jsonSchema()).flatMap((mapping) => {
        const fields = Predicate.isReadonlyRecord(mapping["properties"]) ? Object.entries(mapping["properties"]) : []
        const isOpen = mapping["additionalProperties"] !== false && mapping["propertyNames"] === undefined
        assert.isFalse(isOpen, JSON.stringify(mapping))
        for (const [name, field] of fields) {
          assert.isTrue(Predicate.isReadonlyRecord(field) && typeof field["description"] === "string", name)
          const kinds = ["type", "anyOf", "enum", "$ref"].filter((key) => Predicate.hasProperty(field, key))
          assert.isNotEmpty(kinds, name)
        }
        return fields.map(([name]) => name)
      })
      const known = [
        ...["version", "registries", "secrets", "pushes", "uri", "flavor", "secret", "tls", "concurrency"],
        ...["connectors", "connector", "type", "method"],
        ...ConnectorType.builtin.flatMap(({ authMethods }) => authMethods.flatMap(({ fields }) => Object.keys(fields))),
        ...["defaultRepository", "protect", "username", "password", "env", "file", "stdin", "source", "to", "tags"]
      ]
      assert.sameMembers(Array.from(new Set(names)), Array.from(new Set(known)))
    })
  })

  describe("load", () => {
    it.effect("reads a file, whose secrets are beside it", () =>
      Effect.gen(function* () {
        const file = yield* GantryFile.load("/project/gantry.yaml", { variables: { VERSION: "1" } })
        assert.deepStrictEqual(file.secrets["ghcr"]?.password, { file: "/project/secrets/ghcr" })
      }).pipe(Effect.provide(disk({ "/project/gantry.yaml": example }).layer))
    )

    it.effect("tells a file that is not there, that is no text, and that may not be read apart", () =>
      Effect.gen(function* () {
        const missing = yield* Effect.flip(GantryFile.load("/none.yaml"))
        assert.deepInclude(missing, { _tag: "GantryFileNotFound", path: "/none.yaml" })
        const binary = yield* Effect.flip(GantryFile.load("/binary.yaml"))
        assert.deepInclude(binary, { _tag: "GantryFileUnreadable", detail: "it is not UTF-8 text" })
        const forbidden = yield* Effect.flip(GantryFile.load("/x")).pipe(
          Effect.provide(
            FileSystem.layerNoop({
              readFile: () =>
                new PlatformError.SystemError({ module: "FileSystem", method: "readFile", reason: "PermissionDenied" })
            })
          )
        )
        assert.deepInclude(forbidden, { _tag: "GantryFileUnreadable", detail: "permission denied" })
      }).pipe(Effect.provide(disk({ "/binary.yaml": new Uint8Array([0xff, 0xfe]) }).layer))
    )
  })

  describe("find", () => {
    const files = {
      "/work/gantry.yaml": "",
      "/work/gantry.json": "",
      "/work/deep/gantry.json": "",
      "/other/gantry.yml": ""
    }
    const find = (folder: string, named?: string) => Effect.provide(GantryFile.find(named), disk(files, folder).layer)

    it.effect("takes the nearest above the working directory, YAML before JSON", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* find("/work/deep/er"), Option.some("/work/deep/gantry.json"))
        assert.deepStrictEqual(yield* find("/work/src"), Option.some("/work/gantry.yaml"))
        assert.deepStrictEqual(yield* find("/other"), Option.some("/other/gantry.yml"))
        assert.deepStrictEqual(yield* find("/home/me"), Option.none())
      }).pipe(withVariables({}))
    )

    it.effect("prefers the named file to GANTRY_CONFIG and that to what lies around, whether they exist or not", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* find("/work", "/named.yaml"), Option.some("/named.yaml"))
        assert.deepStrictEqual(yield* find("/work"), Option.some("/from/environment.yaml"))
      }).pipe(withVariables({ GANTRY_CONFIG: "/from/environment.yaml" }))
    )

    it.effect("takes an empty GANTRY_CONFIG as unset", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* find("/work"), Option.some("/work/gantry.yaml"))
      }).pipe(withVariables({ GANTRY_CONFIG: "" }))
    )
  })

  describe("registryConcurrency", () => {
    it.effect("takes the smallest limit of a host", () =>
      Effect.gen(function* () {
        const file = yield* parse(
          "version: 1\nregistries: { a: { uri: x.io/a, concurrency: 3 }, b: { uri: x.io/b, concurrency: 2 }, c: { uri: x.io }, d: { uri: y.io } }"
        )
        assert.deepStrictEqual(GantryFile.registryConcurrency(file), { "x.io": 2 })
      })
    )
  })

  describe("layerSecrets", () => {
    const secrets = (password: GantryFile.FileSecret["password"]) => ({
      secrets: { ghcr: { username: "bot", password } }
    })
    const read = Effect.flatMap(SecretStore, (store) =>
      Effect.map(store.get("ghcr"), Option.map(Record.map(Redacted.value)))
    )

    it.effect("has no secret that the file does not name", () =>
      Effect.gen(function* () {
        const store = yield* SecretStore
        assert.deepStrictEqual(yield* store.get("other"), Option.none())
        assert.deepStrictEqual(yield* store.get("constructor"), Option.none())
      }).pipe(Effect.provide(GantryFile.layerSecrets(secrets({ env: "T" }))), Effect.provide(disk({}).layer))
    )

    it.effect("reads a file anew each time, without the newline at its end", () => {
      const { contents, layer } = disk({ "/secrets/ghcr": "one\r\n" })
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* read, Option.some({ username: "bot", password: "one" }))
        contents.set("/secrets/ghcr", "two\n\n")
        assert.deepStrictEqual(yield* read, Option.some({ username: "bot", password: "two\n" }))
      }).pipe(Effect.provide(GantryFile.layerSecrets(secrets({ file: "/secrets/ghcr" }))), Effect.provide(layer))
    })

    it.effect("reads a variable anew each time", () => {
      let rotated = "FIRST"
      const provider = ConfigProvider.fromMap(
        new Map([
          ["FIRST", "one, two"],
          ["SECOND", "three"]
        ])
      ).pipe(ConfigProvider.mapInputPath(() => rotated))
      return Effect.gen(function* () {
        assert.deepStrictEqual(yield* read, Option.some({ username: "bot", password: "one, two" }))
        rotated = "SECOND"
        assert.deepStrictEqual(yield* read, Option.some({ username: "bot", password: "three" }))
      }).pipe(
        Effect.provide(GantryFile.layerSecrets(secrets({ env: "TOKEN" }))),
        Effect.provide(disk({}).layer),
        Effect.withConfigProvider(provider)
      )
    })

    it.effect("reads standard input once, also when the first who asks is interrupted", () => {
      let reads = 0
      const stdin = Effect.andThen(
        Effect.sync(() => reads++),
        Effect.as(Effect.yieldNow(), Option.some(`${canary}\n`))
      )
      return Effect.gen(function* () {
        const first = yield* Effect.fork(read)
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(first)
        const all = yield* Effect.all([read, read, read], { concurrency: "unbounded" })
        for (const secret of all) assert.deepStrictEqual(secret, Option.some({ username: "bot", password: canary }))
        assert.strictEqual(reads, 1)
      }).pipe(
        Effect.provide(GantryFile.layerSecrets(secrets({ stdin: true }), { stdin })),
        Effect.provide(disk({}).layer)
      )
    })

    for (const [source, expected] of [
      [{ env: "T" }, "in the environment variable T, which is not set"],
      [{ file: "/none" }, "in the file /none, which can not be read"],
      [{ file: "/binary" }, "UTF-8 text in the file /binary"],
      [{ stdin: true }, "piped into standard input, where there is nothing"]
    ] as const) {
      it.effect(`names the field and its place when there is nothing to read: ${expected}`, () =>
        Effect.gen(function* () {
          const failure = yield* Effect.flip(read)
          assert.deepInclude(failure, { _tag: "SecretInvalid", secret: "ghcr", field: "password", expected })
        }).pipe(
          Effect.provide(GantryFile.layerSecrets(secrets(source))),
          Effect.provide(disk({ "/binary": new Uint8Array([0xff]) }).layer),
          withVariables({})
        )
      )
    }
  })

  describe("layerCatalog", () => {
    const transport = TestTransport.layer()
    const files = { "/project/gantry.yaml": example, "/project/secrets/ghcr": `${canary}\n` }

    it.effect("gives each registry of the file its secret, and the others what the application says", () =>
      Effect.gen(function* () {
        const catalog = yield* RegistryCatalog
        assert.sameMembers(Array.from(catalog.registries.keys()), ["prod", "mirror", "local", "apps"])
        const credentialOf = (name: string) => Effect.flatMap(catalog.get(name), (registry) => registry.credentials)
        const mirror = Option.getOrThrow(yield* credentialOf("mirror"))
        assert.strictEqual(mirror.origin, "secret ghcr")
        assert.deepStrictEqual(
          mirror.credential,
          Credential.usernamePassword({ host: "ghcr.io", username: "acme-bot", password: Redacted.make(canary) })
        )
        assert.strictEqual(Option.getOrThrow(yield* credentialOf("local")).origin, "the given username and password")
        const local = yield* catalog.get("local")
        assert.deepStrictEqual(local.config.tls, Option.some("off"))
        const prod = yield* catalog.get("prod")
        assert.strictEqual(prod.config.flavor.name, "azure")
        assert.deepStrictEqual(prod.config.defaultRepository, Option.some("team/app"))
      }).pipe(
        Effect.provide(
          GantryFile.layerCatalog("/project/gantry.yaml", {
            variables: { VERSION: "1" },
            authentication: Authentication.usernamePassword("me", Redacted.make("pw"))
          })
        ),
        Effect.provide(Layer.mergeAll(transport, FetchHttpClient.layer, disk(files).layer))
      )
    )

    it.effect("is anonymous where neither the file nor the application says otherwise", () =>
      Effect.gen(function* () {
        const catalog = yield* RegistryCatalog
        const local = yield* catalog.get("local")
        assert.deepStrictEqual(yield* local.credentials, Option.none())
      }).pipe(
        Effect.provide(GantryFile.layerCatalog("/project/gantry.yaml", { variables: { VERSION: "1" } })),
        Effect.provide(Layer.mergeAll(transport, FetchHttpClient.layer, disk(files).layer))
      )
    )

    it.effect("fails with what is wrong with the file", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.either(Layer.build(GantryFile.layerCatalog("/project/gantry.yaml")))
        assert.isTrue(Either.isLeft(failure) && failure.left._tag === "GantryFileInvalid")
      }).pipe(
        Effect.scoped,
        withVariables({}),
        Effect.provide(Layer.mergeAll(transport, FetchHttpClient.layer, disk(files).layer))
      )
    )
  })
})
