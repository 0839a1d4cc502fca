import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { SecretInvalid } from "../../src/credential/CredentialError.ts"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import { assertHidesCanary, canary } from "./support/secrets.ts"

const redacted = Record.map((value: string) => Redacted.make(value))

const read = (name: string) =>
  Effect.flatMap(SecretStore.SecretStore, (store) =>
    Effect.map(store.get(name), Option.map(Record.map(Redacted.value)))
  )

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "gantry-secrets-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const write = (root: string, files: Readonly<Record<string, string | Uint8Array>>) =>
  Effect.promise(async () => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true })
      await writeFile(join(root, name), content)
    }
  })

const folderLayer = (root: string) => Layer.provide(SecretStore.layerFolder(root), NodeContext.layer)

const variables = (entries: Readonly<Record<string, string>>, pathDelim?: string) =>
  Layer.provide(
    SecretStore.layerConfig,
    Layer.setConfigProvider(
      ConfigProvider.fromMap(new Map(Object.entries(entries)), pathDelim === undefined ? {} : { pathDelim })
    )
  )

describe("SecretStore", () => {
  describe("getTyped", () => {
    const typed = (values: Record<string, string>) =>
      SecretStore.getTyped("ghcr", SecretStore.UsernamePasswordSecret, { registry: "prod" }).pipe(
        Effect.provide(SecretStore.layerMemory({ ghcr: redacted(values) }))
      )

    it.effect("decodes a username and a password", () =>
      Effect.gen(function* () {
        const secret = yield* typed({ username: "bot", password: canary, other: "ignored" })
        assert.strictEqual(secret.username, "bot")
        assert.strictEqual(Redacted.value(secret.password), canary)
      })
    )

    it.effect("says which secret is missing, for which registry and where", () =>
      Effect.gen(function* () {
        const error = yield* SecretStore.getTyped("nope", SecretStore.UsernamePasswordSecret, {
          registry: "prod"
        }).pipe(Effect.provide(SecretStore.layerMemory({})), Effect.flip)
        assert.strictEqual(error._tag, "SecretNotFound")
        assert.match(error.message, /"nope" for registry prod does not exist in memory/)
      })
    )

    it.effect("names the field that is missing, or empty, and never a value", () =>
      Effect.gen(function* () {
        const missing = yield* Effect.flip(typed({ password: canary }))
        assert.deepInclude({ ...missing }, { _tag: "SecretInvalid", field: "username", expected: "present" })
        const empty = yield* Effect.flip(typed({ username: "", password: canary }))
        assert.deepInclude({ ...empty }, { secret: "ghcr", registry: "prod", field: "username" })
        assertHidesCanary(missing)
        assertHidesCanary(empty)
      })
    )

    it.effect("hides a value that any schema refuses, whatever the schema says of it", () =>
      Effect.gen(function* () {
        const Talkative = Schema.transformOrFail(Schema.String, Schema.Number, {
          strict: true,
          decode: (text, _, ast) => ParseResult.fail(new ParseResult.Type(ast, text, `no number: ${text}`)),
          encode: (number) => ParseResult.succeed(String(number))
        })
        const fields: ReadonlyArray<Schema.Schema.AnyNoContext> = [
          Schema.NumberFromString,
          Schema.Literal("a", "b"),
          Schema.Union(Schema.NumberFromString, Schema.Trimmed.pipe(Schema.maxLength(3))),
          Schema.parseJson(Schema.Struct({ key: Schema.String })),
          Schema.String.pipe(Schema.filter(() => false, { message: ({ actual }) => `bad ${String(actual)}` })),
          Talkative
        ]
        for (const field of fields) {
          const error = yield* SecretStore.getTyped("aws", Schema.Struct({ key: field })).pipe(
            Effect.provide(SecretStore.layerMemory({ aws: redacted({ key: ` ${canary}` }) })),
            Effect.flip
          )
          assert.instanceOf(error, SecretInvalid)
          assert.strictEqual(error.field, "key")
          assertHidesCanary(error)
        }
      })
    )
  })

  describe("layerConfig", () => {
    const environment = {
      GANTRY_SECRET_GHCR_PROD_USERNAME: "bot",
      GANTRY_SECRET_GHCR_PROD_PASSWORD: "a,b=c ",
      GANTRY_SECRET_AWS_ACCESS_KEY_ID: "AKIA",
      GANTRY_OTHER: "x",
      PATH: "/bin"
    }

    for (const pathDelim of [undefined, "_"]) {
      it.effect(`reads the variables of a secret, with ${pathDelim ?? "no"} separator of segments`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* read("ghcr-prod"), Option.some({ username: "bot", password: "a,b=c " }))
          assert.deepStrictEqual(yield* read("GHCR.prod"), yield* read("ghcr-prod"))
          assert.deepStrictEqual(yield* read("aws"), Option.some({ access_key_id: "AKIA" }))
          assert.deepStrictEqual(yield* read("prod"), Option.none())
        }).pipe(Effect.provide(variables(environment, pathDelim)))
      )
    }

    it.effect("reads the provider that the layer was made with, nested ones too", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* read("x"), Option.some({ username: "bot" }))
      }).pipe(
        Effect.provide(
          Layer.provide(
            SecretStore.layerConfig,
            Layer.setConfigProvider(
              ConfigProvider.nested(
                ConfigProvider.fromMap(new Map([["APP_GANTRY_SECRET_X_USERNAME", "bot"]]), { pathDelim: "_" }),
                "APP"
              )
            )
          )
        ),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
      )
    )

    it.effect("picks up a value that changes", () =>
      Effect.gen(function* () {
        const map = new Map([["GANTRY_SECRET_X_PASSWORD", "one"]])
        const provider = Layer.setConfigProvider(
          ConfigProvider.make({
            load: (config) => ConfigProvider.fromMap(map).load(config),
            flattened: ConfigProvider.fromMap(map).flattened
          })
        )
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(yield* read("x"), Option.some({ password: "one" }))
          map.set("GANTRY_SECRET_X_PASSWORD", "two")
          assert.deepStrictEqual(yield* read("x"), Option.some({ password: "two" }))
        }).pipe(Effect.provide(Layer.provide(SecretStore.layerConfig, provider)))
      })
    )
  })

  describe("layerFolder", () => {
    it.scoped("reads a file a field, without the newline at its end", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* write(root, { "ghcr/username": "bot\n", "ghcr/password": " two\nlines \r\n\n", "ghcr/empty": "" })
        const found = yield* Effect.provide(read("ghcr"), folderLayer(root))
        assert.deepStrictEqual(found, Option.some({ username: "bot", password: " two\nlines \r\n", empty: "" }))
      })
    )

    it.scoped("reads a secret as Kubernetes mounts it", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* write(root, { "ghcr/..2026_01/username": "bot", "ghcr/sub/nested": "no" })
        yield* Effect.promise(async () => {
          await symlink("..2026_01", join(root, "ghcr/..data"))
          await symlink("..data/username", join(root, "ghcr/username"))
        })
        assert.deepStrictEqual(yield* Effect.provide(read("ghcr"), folderLayer(root)), Option.some({ username: "bot" }))
      })
    )

    it.scoped("reads a rotated secret again", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* write(root, { "ghcr/password": "one" })
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(yield* read("ghcr"), Option.some({ password: "one" }))
          yield* write(root, { "ghcr/password": "two" })
          assert.deepStrictEqual(yield* read("ghcr"), Option.some({ password: "two" }))
        }).pipe(Effect.provide(folderLayer(root)))
      })
    )

    it.scoped("has no secret that has no folder, nor any without the root", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        assert.deepStrictEqual(yield* Effect.provide(read("nope"), folderLayer(root)), Option.none())
        assert.deepStrictEqual(yield* Effect.provide(read("nope"), folderLayer(join(root, "gone"))), Option.none())
      })
    )

    it.scoped("refuses a field that is not text, without showing it", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* write(root, { "ghcr/password": Buffer.concat([Buffer.from(canary), Buffer.from([0xff])]) })
        const error = yield* Effect.flip(Effect.provide(read("ghcr"), folderLayer(root)))
        assert.deepInclude({ ...error }, { _tag: "SecretInvalid", field: "password", expected: "UTF-8 text" })
        assertHidesCanary(error)
      })
    )

    it.scoped("says which file can not be read", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* write(root, { "ghcr/.keep": "", file: "" })
        yield* Effect.promise(() => symlink("gone", join(root, "ghcr/password")))
        const dangling = yield* Effect.flip(Effect.provide(read("ghcr"), folderLayer(root)))
        assert.include(dangling.message, join(root, "ghcr/password"))
        const noFolder = yield* Effect.flip(Effect.provide(read("file"), folderLayer(root)))
        assert.include(noFolder.message, join(root, "file"))
      })
    )

    it.scoped("never leaves its folder, whatever the name", () =>
      Effect.gen(function* () {
        const outside = yield* temporaryFolder
        const root = join(outside, "root")
        yield* write(outside, { "root/ghcr/password": "inside", "other/password": canary, password: canary })
        for (const name of [
          "../other",
          "..",
          ".",
          "",
          "ghcr/../../other",
          "/",
          "a\0b",
          "ghcr\n",
          "..\\other",
          outside
        ]) {
          const error = yield* Effect.flip(Effect.provide(read(name), folderLayer(root)))
          assert.strictEqual(error._tag, "SecretInvalid")
        }
      })
    )
  })

  it.effect("looks at its memory on each get", () =>
    Effect.gen(function* () {
      const secrets = { a: redacted({ password: "one" }) }
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* read("a"), Option.some({ password: "one" }))
        secrets.a = redacted({ password: "two" })
        assert.deepStrictEqual(yield* read("a"), Option.some({ password: "two" }))
      }).pipe(Effect.provide(SecretStore.layerMemory(secrets)))
    })
  )

  it.effect("gives a secret of the first store that has it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read("a"), Option.some({ from: "first" }))
      assert.deepStrictEqual(yield* read("b"), Option.some({ from: "second" }))
      const error = yield* Effect.flip(SecretStore.getTyped("c", SecretStore.UsernamePasswordSecret))
      assert.include(error.message, "memory or memory")
    }).pipe(
      Effect.provide(
        SecretStore.layerMemory({ a: redacted({ from: "first" }) }).pipe(
          SecretStore.orElse(
            SecretStore.layerMemory({ a: redacted({ from: "second" }), b: redacted({ from: "second" }) })
          )
        )
      )
    )
  )

  it.effect("does not skip a store that fails", () =>
    Effect.gen(function* () {
      const failing = Layer.succeed(SecretStore.SecretStore, {
        label: "vault",
        get: (secret) => new SecretInvalid({ secret, expected: "reachable" })
      })
      const layer = SecretStore.orElse(failing, SecretStore.layerMemory({ a: {} }))
      const error = yield* Effect.flip(Effect.provide(read("a"), layer))
      assert.strictEqual(error._tag, "SecretInvalid")
    })
  )

  it.effect.prop(
    "gives a secret or a typed error for every name",
    [FastCheck.string({ unit: "binary" })],
    ([name]) =>
      Effect.gen(function* () {
        const result = yield* Effect.either(read(name))
        if (Either.isLeft(result)) {
          assert.strictEqual(result.left._tag, "SecretInvalid")
          assertHidesCanary(result.left)
        }
      }).pipe(Effect.provide(variables({ GANTRY_SECRET_A_PASSWORD: canary }))),
    { fastCheck: { numRuns: 25 } }
  )
})
