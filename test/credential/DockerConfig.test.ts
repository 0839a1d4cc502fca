import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../src/credential/Credential.ts"
import * as DockerConfig from "../../src/credential/DockerConfig.ts"
import { assertHidesCanary, canary } from "./support/secrets.ts"

const auth = (login: string) => Encoding.encodeBase64(login)

const parse = (content: unknown, format: DockerConfig.Format = "docker") =>
  DockerConfig.parse(typeof content === "string" ? content : JSON.stringify(content), { path: "/config.json", format })

const reveal = (kind: Credential.CredentialKind) => {
  switch (kind._tag) {
    case "UsernamePassword":
      return `${kind.username}:${Redacted.value(kind.password)}`
    case "IdentityToken":
      return `${Option.getOrElse(kind.username, () => "-")} identity ${Redacted.value(kind.token)}`
    case "RegistryToken":
      return `registry ${Redacted.value(kind.token)}`
  }
}

const show = DockerConfig.Location.$match({
  InFile: ({ credential }) => `${credential.host} ${reveal(credential.kind)}`,
  WithHelper: ({ helper }) => `helper ${helper}`
})

/** The place of a host's credential in one line; `undefined` when the file knows none. */
const locate = (content: unknown, host: string, format: DockerConfig.Format = "docker", repository?: string) =>
  Either.flatMap(parse(content, format), (config) => DockerConfig.locate(config, host, repository)).pipe(
    Either.map(Option.map(show)),
    Either.getOrThrowWith((error) => error),
    Option.getOrUndefined
  )

const failure = (content: unknown, host: string, format: DockerConfig.Format = "docker") =>
  Option.getOrThrow(
    Either.getLeft(Either.flatMap(parse(content, format), (config) => DockerConfig.locate(config, host)))
  )

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "gantry-config-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

describe("DockerConfig", () => {
  describe("an entry", () => {
    const one = (entry: unknown) => locate({ auths: { "reg.io": entry } }, "reg.io")

    it("holds username and password as base64, split at the first colon", () => {
      const location = Either.flatMap(parse({ auths: { "reg.io": { auth: auth("bot:pass:word=") } } }), (config) =>
        DockerConfig.locate(config, "reg.io")
      )
      const password = Redacted.make("pass:word=")
      const credential = Credential.usernamePassword({ host: "reg.io", username: "bot", password })
      assert.isTrue(Equal.equals(location, Either.right(Option.some(DockerConfig.Location.InFile({ credential })))))
      assert.strictEqual(one({ auth: auth("bot:pässwörd ") }), "reg.io bot:pässwörd ")
      assert.strictEqual(one({ auth: auth("bot:") }), "reg.io bot:")
    })

    it("has no NULs around its password", () => {
      assert.strictEqual(one({ auth: auth("bot:pa\0ss\0\0") }), "reg.io bot:pa\0ss")
    })

    it("may hold username and password in clear, and auth comes before them", () => {
      assert.strictEqual(one({ username: "bot", password: "pw" }), "reg.io bot:pw")
      assert.strictEqual(one({ auth: auth("a:b"), username: "c", password: "d" }), "reg.io a:b")
    })

    it("may hold an identity token, with the username in auth", () => {
      const guid = "00000000-0000-0000-0000-000000000000"
      assert.strictEqual(one({ auth: auth(`${guid}:`), identitytoken: "tok" }), `reg.io ${guid} identity tok`)
      assert.strictEqual(one({ identitytoken: "tok" }), "reg.io - identity tok")
    })

    it("may hold a registry token, which comes before everything else", () => {
      assert.strictEqual(one({ registrytoken: "reg", identitytoken: "id", auth: auth("a:b") }), "reg.io registry reg")
    })

    it("that is empty is a marker and no credential", () => {
      assert.isUndefined(one({}))
      assert.isUndefined(one({ auth: "", email: "a@b.c", username: null }))
    })

    for (const [what, entry] of [
      ["no base64", { auth: canary }],
      ["base64 without its padding", { auth: auth(`${canary}:${canary}1`).replace(/=+$/, "").slice(0, -1) }],
      ["base64url", { auth: `${auth(canary)}-_==` }],
      ["base64 of no colon", { auth: auth(canary) }],
      ["base64 of no username", { auth: auth(`:${canary}`) }],
      ["an auth that is no text", { auth: { [canary]: canary } }],
      ["a token that is no text", { auth: auth("a:b"), identitytoken: [canary] }],
      ["a password without a username", { password: canary }],
      ["no object", canary],
      ["null", null]
    ] as const) {
      it(`with ${what} is invalid for its own host, and hides nothing else`, () => {
        const content = { auths: { "a.io": { auth: auth("a:b") }, "reg.io": entry, "z.io": { auth: auth("y:z") } } }
        const error = failure(content, "reg.io")
        assert.strictEqual(error.reason, "invalid-entry")
        assert.include(error.message, "/config.json")
        assert.include(error.message, "reg.io")
        assertHidesCanary(error)
        assert.strictEqual(locate(content, "a.io"), "a.io a:b")
        assert.strictEqual(locate(content, "z.io"), "z.io y:z")
        assert.isUndefined(locate(content, "other.io"))
      })
    }
  })

  describe("a key in Docker's file", () => {
    it("is the host with its port, exactly", () => {
      const content = { auths: { "localhost:5000": { auth: auth("a:b") } } }
      assert.strictEqual(locate(content, "localhost:5000"), "localhost:5000 a:b")
      for (const other of ["localhost", "localhost:50001", "localhost:500", "evil-localhost:5000"]) {
        assert.isUndefined(locate(content, other))
      }
    })

    it("is the v1 URL for Docker Hub under all its names", () => {
      const content = { auths: { "https://index.docker.io/v1/": { auth: auth("a:b") } } }
      for (const host of ["docker.io", "index.docker.io", "registry-1.docker.io"]) {
        assert.strictEqual(locate(content, host), "docker.io a:b")
      }
    })

    it("stands for its host, whatever its scheme and path, and gives way to the exact one", () => {
      const old = { "https://ghcr.io/v2/": { auth: auth("old:b") } }
      assert.strictEqual(locate({ auths: old }, "GHCR.io"), "ghcr.io old:b")
      assert.strictEqual(locate({ auths: { ...old, "ghcr.io": { auth: auth("new:b") } } }, "ghcr.io"), "ghcr.io new:b")
    })

    it("that is only a marker gives way to one that holds a credential", () => {
      const auths = { "https://index.docker.io/v1/access-token": {}, "index.docker.io": { auth: auth("a:b") } }
      assert.strictEqual(locate({ auths }, "docker.io"), "docker.io a:b")
    })

    it("with userinfo does not show it", () => {
      assertHidesCanary(failure({ auths: { [`https://u:${canary}@reg.io/`]: { auth: "!" } } }, "reg.io"))
    })

    it("may be the name of what every object has", () => {
      assert.isUndefined(locate({ auths: {} }, "constructor"))
      assert.isUndefined(locate(`{"auths":{"__proto__":{"auth":"${auth("a:b")}"}}}`, "reg.io"))
    })
  })

  describe("a helper in Docker's file", () => {
    const content = {
      auths: { "reg.io": { auth: auth("in:file") }, "own.io": { auth: auth("in:file") } },
      credsStore: "desktop",
      credHelpers: { "ecr.aws": "ecr-login", "own.io": "", "https://index.docker.io/v1/": "hub" }
    }

    it("of the host's own comes before the store for all, and both before the file", () => {
      assert.strictEqual(locate(content, "ecr.aws"), "helper ecr-login")
      assert.strictEqual(locate(content, "docker.io"), "helper hub")
      assert.strictEqual(locate(content, "reg.io"), "helper desktop")
      assert.strictEqual(locate(content, "other.io"), "helper desktop")
    })

    it("with an empty name is the file itself", () => {
      assert.strictEqual(locate(content, "own.io"), "own.io in:file")
      assert.strictEqual(locate({ ...content, credsStore: "" }, "reg.io"), "reg.io in:file")
    })
  })

  describe("podman's file", () => {
    const content = {
      auths: {
        "quay.io": { auth: auth("host:b") },
        "quay.io/team": { auth: auth("team:b") },
        "quay.io/team/app": { auth: auth("app:b") },
        "docker.io/library": { auth: auth("library:b") },
        "https://old.io/v1/": { auth: auth("old:b") }
      },
      credsStore: "never",
      credHelpers: { "ecr.aws": "ecr-login" }
    }
    const podman = (host: string, repository?: string) => locate(content, host, "containers", repository)

    it("has keys for a part of a host, of which the longest on whole segments wins", () => {
      assert.strictEqual(podman("quay.io", "team/app"), "quay.io app:b")
      assert.strictEqual(podman("quay.io", "team/app/part"), "quay.io app:b")
      assert.strictEqual(podman("quay.io", "team/apps"), "quay.io team:b")
      assert.strictEqual(podman("quay.io", "teams/app"), "quay.io host:b")
      assert.strictEqual(podman("quay.io"), "quay.io host:b")
      assert.strictEqual(podman("index.docker.io", "library/alpine"), "docker.io library:b")
      assert.isUndefined(podman("docker.io", "other/alpine"))
      assert.isUndefined(podman("quay.io.evil.com", "team/app"))
    })

    it("takes a key with a scheme for its host", () => {
      assert.strictEqual(podman("old.io", "team/app"), "old.io old:b")
    })

    it("asks helpers by host, and never the store for all", () => {
      assert.strictEqual(podman("ecr.aws", "team/app"), "helper ecr-login")
      assert.isUndefined(podman("other.io"))
    })
  })

  describe("a malformed file", () => {
    it("is an error with its path and position, and never empty", () => {
      const text = `{\n  "auths": {\n    "a.io": { "auth": ${JSON.stringify(canary)} },\n  }\n}`
      const error = failure(text, "b.io")
      assert.strictEqual(error._tag, "DockerConfigError")
      assert.strictEqual(error.reason, "malformed")
      assert.strictEqual(error.position, text.indexOf("}\n}"))
      assert.include(error.message, `/config.json (at character ${error.position})`)
      assertHidesCanary(error)
    })

    for (const [what, content, detail] of [
      ["JSON with a word behind it", `{"auths": {}} ${canary}`, "not valid JSON"],
      ["an array", [canary], "must hold a JSON object"],
      ["a string", JSON.stringify(canary), "must hold a JSON object"],
      ["auths that are a list", { auths: [canary] }, '"auths" must be an object'],
      ["helpers that are no texts", { credHelpers: { [canary]: 1 } }, '"credHelpers" must be an object of strings'],
      ["a store that is no text", { credsStore: { [canary]: 1 } }, '"credsStore" must be a string'],
      ["more than 1 MiB", `"${canary}${"a".repeat(1024 * 1024)}`, "larger than 1 MiB"]
    ] as const) {
      it(`may be ${what}`, () => {
        const error = failure(content, "reg.io")
        assert.strictEqual(error.reason, "malformed")
        assert.include(error.message, detail)
        assertHidesCanary(error)
      })
    }
  })

  it("is empty when it holds nothing but whitespace, as for Docker", () => {
    assert.isUndefined(locate("\n", "reg.io"))
  })

  it("ignores what is not about credentials, and nulls", () => {
    const content = { currentContext: "x", HttpHeaders: { a: 1 }, auths: null, credHelpers: null, credsStore: null }
    assert.isUndefined(locate(content, "reg.io"))
  })

  describe("load", () => {
    const load = (path: string) => Effect.provide(DockerConfig.load(path, "docker"), NodeContext.layer)

    it.scoped("reads a file and leaves it as it is", () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "config.json")
        const text = `{ "auths": { "reg.io": { "auth": "${auth("a:b")}" } }, "unknown": 1 }\n`
        yield* Effect.promise(() => writeFile(path, text))
        const location = yield* Effect.flatMap(load(path), (config) => DockerConfig.locate(config, "reg.io"))
        assert.deepStrictEqual(Option.map(location, show), Option.some("reg.io a:b"))
        assert.strictEqual(yield* Effect.promise(() => readFile(path, "utf8")), text)
      })
    )

    it.scoped("takes a file that does not exist for an empty one", () =>
      Effect.gen(function* () {
        const config = yield* load(join(yield* temporaryFolder, "none", "config.json"))
        assert.strictEqual(config.auths.size, 0)
      })
    )

    it.scoped("fails for what it can not read", () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const error = yield* Effect.flip(load(folder))
        assert.strictEqual(error.reason, "unreadable")
        assert.include(error.message, folder)
      })
    )
  })

  it("ends in a value or a typed error that hides its secrets, whatever the file holds", () => {
    const secret = FastCheck.constantFrom(canary, auth(`u:${canary}`), auth(canary), "")
    const value = FastCheck.oneof(secret, FastCheck.jsonValue({ maxDepth: 1 }), FastCheck.constant([canary]))
    const key = FastCheck.constantFrom("reg.io", "https://reg.io/v2/", `https://u:${canary}@reg.io`, "reg.io/team", "")
    const entry = FastCheck.dictionary(
      FastCheck.constantFrom("auth", "identitytoken", "registrytoken", "username", "password"),
      value
    )
    const file = FastCheck.record(
      {
        auths: FastCheck.oneof(FastCheck.dictionary(key, FastCheck.oneof(entry, value)), value),
        credHelpers: FastCheck.oneof(FastCheck.dictionary(key, FastCheck.constantFrom("pass", "")), value),
        credsStore: FastCheck.oneof(FastCheck.constant("pass"), FastCheck.constant([canary]))
      },
      { requiredKeys: [] }
    )
    const cut = FastCheck.option(FastCheck.tuple(FastCheck.nat(400), FastCheck.nat(3)), { freq: 1 })
    FastCheck.assert(
      FastCheck.property(
        file,
        cut,
        FastCheck.constantFrom<DockerConfig.Format>("docker", "containers"),
        (content, damage, format) => {
          const json = JSON.stringify(content)
          const text = damage === null ? json : json.slice(0, damage[0]) + json.slice(damage[0] + damage[1])
          const located = Either.flatMap(parse(text, format), (config) =>
            DockerConfig.locate(config, "reg.io", "team/app")
          )
          if (Either.isLeft(located)) {
            assert.strictEqual(located.left._tag, "DockerConfigError")
            assertHidesCanary(located.left)
          }
        }
      ),
      { numRuns: 200 }
    )
  })
})
