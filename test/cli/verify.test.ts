import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { CredentialHelperError } from "../../src/credential/CredentialError.ts"
import { Keychain } from "../../src/credential/Keychain.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestConsole from "./support/console.ts"
import { at, credential, gantry, users, written } from "./support/registries.ts"

const token = { type: "token", users } as const
const basic = { type: "basic", users } as const

const file = `
version: 1
registries:
  main: { uri: reg.test/team, secret: dev, defaultRepository: app }
  other: { uri: other.test, secret: wrong }
  nobody: { uri: nobody.test }
secrets:
  dev: { username: dev, password: { env: DEV_PASSWORD } }
  wrong: { username: dev, password: { env: WRONG_PASSWORD } }
`

const variables = { DEV_PASSWORD: "dev-password", WRONG_PASSWORD: "hunter2" }

const asked = Effect.flatMap(TestRegistry.TestRegistry, ({ requests }) => requests)

describe("gantry verify", () => {
  it.scoped("says what a registry of the file answers, where the credential came from, and that it may push", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { code, stderr, stdout } = yield* gantry(["verify", "@main", "--config", config])
      assert.strictEqual(
        stdout,
        "ok      @main (reg.test/team)  answers: yes  credential: secret dev  expires: never  repository: team/app  push: granted\n"
      )
      assert.deepStrictEqual([code, stderr], [0, ""])
    }).pipe(at({ variables, authentication: token }))
  )

  it.scoped("finds the file that GANTRY_CONFIG names", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { code, stdout } = yield* gantry(["verify", "main"]).pipe(
        at({ variables: { ...variables, GANTRY_CONFIG: config }, authentication: token })
      )
      assert.deepStrictEqual([code, stdout.split("\n").length], [0, 2])
    }).pipe(at())
  )

  it.scoped("verifies every registry of the file once with --all, in its order, and others beside them", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { stdout } = yield* gantry(["verify", "third.test", "nobody", "--all", "--config", config])
      assert.deepStrictEqual(
        Array.from(stdout.matchAll(/^\w+ +(\S+)/gm), ([, name]) => name),
        ["third.test", "@nobody", "@main", "@other"]
      )
    }).pipe(at({ variables, authentication: basic }))
  )

  it.scoped("exits 3 when a password is wrong, says so in the registry's line, and shows no password", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { code, stderr, stdout } = yield* gantry(["verify", "main", "other", "--config", config])
      assert.strictEqual(code, 3)
      assert.match(
        stdout,
        /^ok .*@main.*\nfailed {2}@other.*answers: yes {2}credential: secret wrong.*error: other\.test/
      )
      for (const password of Object.values(variables)) assert.notInclude(stdout + stderr, password)
    }).pipe(at({ variables, authentication: token }))
  )

  it.scoped("exits 5 when a registry can not be reached, and says that it does not answer", () =>
    Effect.gen(function* () {
      const { fault } = yield* TestRegistry.TestRegistry
      yield* fault({ effect: { type: "disconnect" } })
      const { code, stdout } = yield* gantry(["verify", "reg.test"])
      assert.strictEqual(code, 5)
      assert.match(stdout, /^failed {2}reg\.test {2}answers: no {2}credential: none {2}push: unknown {2}error: /)
    }).pipe(at())
  )

  it.scoped("exits 1 when one can not be reached and another refuses the password", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { fault } = yield* TestRegistry.TestRegistry
      yield* fault({ registry: "reg.test", effect: { type: "disconnect" } })
      assert.strictEqual((yield* gantry(["verify", "main", "other", "--config", config])).code, 1)
    }).pipe(at({ variables, authentication: token }))
  )

  it.scoped("exits 3 when the credential may not push to the repository that it is for", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file.replace("username: dev", "username: ro"))
      const { code, stdout } = yield* gantry(["verify", "main", "--config", config, "--output", "json"])
      const { results, ...counts } = JSON.parse(stdout)
      assert.strictEqual(code, 3)
      assert.deepStrictEqual(counts, { schemaVersion: 1, total: 1, verified: 0, failed: 1 })
      assert.deepInclude(results[0], { name: "main", status: "failed", answers: true, push: "refused" })
      assert.deepInclude(results[0].error, { _tag: "RegistryDenied", repository: "team/app", transient: false })
    }).pipe(at({ variables: { DEV_PASSWORD: "ro-password" }, authentication: token }))
  )

  it.scoped("asks a registry nothing when its secret is not to be had, and tries no other credential", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { code, stdout } = yield* gantry(["verify", "main", "--config", config], {
        credentials: [credential("reg.test", "dev")]
      })
      assert.strictEqual(code, 3)
      assert.match(stdout, /^failed {2}@main .*answers: not asked {2}push: unknown {2}error: .*DEV_PASSWORD/)
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(at({ authentication: token }))
  )

  it.scoped(
    "writes nothing, except with --write, which opens one upload below the registry's path and cancels it",
    () =>
      Effect.gen(function* () {
        const config = yield* written("gantry.yaml", file)
        yield* gantry(["verify", "main", "--config", config])
        const before = yield* asked
        assert.deepStrictEqual(new Set(before.map(({ method }) => method)), new Set(["GET"]))
        const { code, stdout } = yield* gantry(["verify", "main", "--write", "x", "--config", config])
        const methods = (yield* asked).slice(before.length).filter(({ method }) => method !== "GET")
        assert.strictEqual(code, 0)
        assert.include(stdout, "repository: team/x  push: granted")
        assert.deepStrictEqual(methods.at(-1)?.method, "DELETE")
        assert.isTrue(methods.some(({ method, url }) => method === "POST" && url.pathname.includes("/team/x/blobs/")))
      }).pipe(at({ variables, authentication: basic }))
  )

  it.scoped(
    "logs in with --username and the piped password where the file has no secret, before the machine's own",
    () =>
      Effect.gen(function* () {
        const { code, stdout } = yield* gantry(["verify", "reg.test", "--username", "dev", "--password-stdin"], {
          credentials: [credential("reg.test", "dev", "stale")]
        })
        assert.strictEqual(code, 0)
        assert.include(stdout, "credential: the given username and password")
      }).pipe(at({ stdin: "dev-password\n", authentication: basic }))
  )

  it.scoped("uses the machine's credential for a host, and nobody's where there is none", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* gantry(["verify", "reg.test", "other.test", "--output", "json"], {
        credentials: [credential("reg.test", "dev")]
      })
      const [known, unknown] = JSON.parse(stdout).results
      assert.strictEqual(code, 3)
      assert.deepInclude(known, { registry: "reg.test", status: "verified", expiry: "never" })
      assert.strictEqual(unknown.error._tag, "RegistryUnauthorized")
      assert.notProperty(unknown, "credential")
    }).pipe(at({ authentication: basic }))
  )

  it.scoped("lets a broken credential store spoil its own registry only", () =>
    Effect.gen(function* () {
      const broken = new CredentialHelperError({
        helper: "ecr-login",
        host: "reg.test",
        reason: "missing",
        detail: "no"
      })
      const keychain = Layer.mock(Keychain, {
        find: (host) => (host === "reg.test" ? Effect.fail(broken) : Effect.succeedNone)
      })
      const { code, stdout } = yield* gantry(["verify", "reg.test", "other.test"], { keychain })
      assert.strictEqual(code, 3)
      assert.match(stdout, /^failed {2}reg\.test {2}answers: not asked .*\nok {6}other\.test /)
    }).pipe(at())
  )

  it.scoped("exits 2 and asks nothing when arguments or the file are wrong, and says everything at once", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const broken = yield* written("gantry.yaml", "version: 1\nregistrys: {}\n")
      const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, ...said: ReadonlyArray<string>]> = [
        [[], "REGISTRY", "--all"],
        [["--all"], "gantry.yaml"],
        [["@maim", "nobdy", "--config", config], "main", "nobody"],
        [["main", "--config", broken], `${broken}:2:1: `, "registries"],
        [["main", "--config", `${config}.not`], "There is no file"],
        [
          ["reg.test", "--write", "app:1", "--plain-http", "x.test", "--tls-skip-verify", "x.test"],
          "--write",
          "x.test"
        ],
        [["main", "other", "--config", config, "--username", "me", "--password-stdin"], "reg.test and other.test"],
        [["main", "--config", config, "--set", "1=hunter2"], "--set: expected NAME=VALUE"]
      ]
      for (const [args, ...said] of wrong) {
        const { code, stderr, stdout } = yield* gantry(["verify", ...args]).pipe(Effect.provide(TestConsole.layer("x")))
        assert.deepStrictEqual([code, stdout], [2, ""], args.join(" "))
        for (const text of said) assert.include(stderr, text)
        assert.notInclude(stderr, "hunter2")
      }
      assert.deepStrictEqual(yield* asked, [])
    }).pipe(at({ variables }))
  )

  it.scoped("stops on a signal and exits 130", () =>
    Effect.gen(function* () {
      const { fault } = yield* TestRegistry.TestRegistry
      yield* fault({ effect: { type: "hang" } })
      const fiber = yield* Effect.fork(gantry(["verify", "reg.test"]))
      yield* Effect.flatMap(TestConsole.TestConsole, (console) => console.signal("SIGINT"))
      const { code, stdout } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([code, stdout], [130, ""])
    }).pipe(at())
  )
})
