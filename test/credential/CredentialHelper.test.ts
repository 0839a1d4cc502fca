import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Credential from "../../src/credential/Credential.ts"
import * as CredentialHelper from "../../src/credential/CredentialHelper.ts"
import { helperPrograms } from "./support/helperPrograms.ts"
import { assertHidesCanary, canary } from "./support/secrets.ts"

const answer = (fields: object) => `cat > asked\ncat <<'END'\n${JSON.stringify(fields)}\nEND`

const ready = answer({ ServerURL: "https://x", Username: "bot", Secret: canary })

const helpers = helperPrograms({
  good: ready,
  counted: ready,
  token: answer({ Username: "<token>", Secret: canary }),
  goToken: `cat <<'END'\n{"Username":"\\u003ctoken\\u003e","Secret":${JSON.stringify(canary)}}\nEND`,
  empty: answer({ ServerURL: "x", Username: "", Secret: "" }),
  fieldless: answer({}),
  noUsername: answer({ Username: "", Secret: canary }),
  noSecret: answer({ Username: "bot" }),
  wrongTypes: answer({ Username: 5, Secret: { [canary]: canary } }),
  garbage: `cat <<'END'\n{"Username": "bot", "Secret": "${canary}\nEND`,
  silent: "exit 0",
  notFound: "echo credentials not found in native keychain; exit 1",
  failing: `cat <<'END'\n${canary}\nEND\ncat >&2 <<'END'\n${canary}\nEND\nexit 1`,
  killed: "kill -9 $$",
  deaf: `exec 0<&-\ncat <<'END'\n${JSON.stringify({ Username: "bot", Secret: canary })}\nEND`,
  loud: "head -c 10485760 /dev/zero; sleep 1000",
  hanging: "exec 3> hanging.alive; echo here >&3; trap '' TERM; sleep 1000",
  slow: `exec 3> slow.alive; echo here >&3; read line < slow.gate\n${ready}`,
  scoped: "exec 3> scoped.alive; echo here >&3; sleep 1000",
  fuzzed: "cat fuzzed.stdout; exit $(cat fuzzed.status)"
})

const ask = (helper: string, host = "reg.io") =>
  Effect.flatMap(CredentialHelper.make, (client) => client.get(helper, host))

const failure = (helper: string) => Effect.flip(ask(helper))

const passwordOf = (credential: Option.Option<Credential.Credential>) =>
  Option.getOrThrow(credential).kind._tag === "UsernamePassword"

describe("CredentialHelper", () => {
  it.scoped("gives what a helper answers, its expiry unknown from now on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_000)
      const credential = Credential.usernamePassword({
        host: "reg.io",
        username: "bot",
        password: Redacted.make(canary),
        expiry: Credential.Expiry.Unknown({ issuedAt: DateTime.unsafeMake(1_000) })
      })
      assert.isTrue(Equal.equals(yield* ask("good"), Option.some(credential)))
    })
  )

  for (const [host, asked] of [
    ["reg.io", "reg.io"],
    ["LOCALHOST:5000", "localhost:5000"],
    ["docker.io", "https://index.docker.io/v1/"],
    ["registry-1.docker.io", "https://index.docker.io/v1/"]
  ] as const) {
    it.scoped(`asks for ${host} as ${asked}, on its input`, () =>
      Effect.gen(function* () {
        yield* ask("good", host)
        assert.strictEqual(yield* helpers.read("asked"), asked)
      })
    )
  }

  for (const helper of ["token", "goToken"]) {
    it.scoped(`takes the secret of the user <token> for an identity token (${helper})`, () =>
      Effect.gen(function* () {
        const { kind } = Option.getOrThrow(yield* ask(helper))
        const expected = { username: Option.none(), token: Redacted.make(canary) }
        assert.isTrue(Equal.equals(kind, Credential.CredentialKind.IdentityToken(expected)))
      })
    )
  }

  for (const helper of ["notFound", "empty", "fieldless"]) {
    it.scoped(`gives none when the helper holds nothing (${helper})`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* ask(helper), Option.none())
      })
    )
  }

  it.scoped("takes the answer of a helper that never reads its input", () =>
    Effect.gen(function* () {
      assert.isTrue(passwordOf(yield* ask("deaf")))
    })
  )

  for (const [helper, reason] of [
    ["failing", "failed"],
    ["killed", "failed"],
    ["loud", "output-too-large"],
    ["garbage", "malformed-answer"],
    ["silent", "malformed-answer"],
    ["wrongTypes", "malformed-answer"],
    ["noUsername", "malformed-answer"],
    ["noSecret", "malformed-answer"],
    ["absent", "missing"]
  ] as const) {
    it.scoped(`fails with reason ${reason} for a helper that is ${helper}, and shows nothing it printed`, () =>
      Effect.gen(function* () {
        const error = yield* failure(helper)
        assert.strictEqual(error.reason, reason)
        assert.include(error.message, `docker-credential-${helper}`)
        assert.include(error.message, "reg.io")
        assertHidesCanary(error)
      })
    )
  }

  it.scoped("never runs a program whose name is not plain", () =>
    Effect.gen(function* () {
      for (const name of ["", "../good", "good get; echo", "a b", "a/b", "a\\b", "good\n", "$(id)", "a\0"]) {
        assert.strictEqual((yield* failure(name)).reason, "invalid-name")
      }
    })
  )

  it.scoped("gives a helper 10 seconds and ends it then, with what it started", () =>
    Effect.gen(function* () {
      const alive = helpers.pipe("hanging.alive")
      const asking = yield* Effect.fork(failure("hanging"))
      yield* alive.opened
      yield* TestClock.adjust("9999 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(asking)))
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(asking)
      assert.strictEqual(error.reason, "timeout")
      assert.isTrue(error.isRetryable)
      yield* alive.closed
    })
  )

  it.scoped("runs a helper once for all who ask for a host at the same time, and remembers for 5 minutes", () =>
    Effect.gen(function* () {
      const client = yield* CredentialHelper.make
      const runs = Effect.all([client.get("counted", "one.io"), client.get("counted", "ONE.io")], { concurrency: 2 })
      yield* Effect.replicateEffect(runs, 20, { concurrency: "unbounded" })
      assert.strictEqual(yield* helpers.runs("counted"), 1)
      yield* client.get("counted", "two.io")
      assert.strictEqual(yield* helpers.runs("counted"), 2)
      yield* TestClock.adjust("299 seconds")
      yield* runs
      assert.strictEqual(yield* helpers.runs("counted"), 2)
      yield* TestClock.adjust("1 seconds")
      yield* runs
      assert.strictEqual(yield* helpers.runs("counted"), 3)
    })
  )

  it.scoped("remembers neither a failure nor that there is nothing", () =>
    Effect.gen(function* () {
      const client = yield* CredentialHelper.make
      const before = [yield* helpers.runs("failing"), yield* helpers.runs("notFound")] as const
      yield* Effect.replicateEffect(Effect.flip(client.get("failing", "a.io")), 2)
      yield* Effect.replicateEffect(client.get("notFound", "a.io"), 2)
      assert.strictEqual(yield* helpers.runs("failing"), before[0] + 2)
      assert.strictEqual(yield* helpers.runs("notFound"), before[1] + 2)
    })
  )

  it.scoped("goes on for the second when the first who asked is interrupted, and ends with the last", () =>
    Effect.gen(function* () {
      const client = yield* CredentialHelper.make
      const alive = helpers.pipe("slow.alive")
      helpers.pipe("slow.gate")
      const [first, second, third] = yield* Effect.all([
        Effect.fork(client.get("slow", "reg.io")),
        Effect.fork(client.get("slow", "reg.io")),
        Effect.fork(client.get("slow", "reg.io"))
      ])
      yield* alive.opened
      yield* Fiber.interrupt(first)
      assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
      yield* Fiber.interrupt(second)
      yield* Fiber.interrupt(third)
      yield* alive.closed
      assert.strictEqual(yield* helpers.runs("slow"), 1)
    })
  )

  it.scoped("ends a helper with the scope", () =>
    Effect.gen(function* () {
      const alive = helpers.pipe("scoped.alive")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* CredentialHelper.make
          yield* Effect.forkDaemon(client.get("scoped", "reg.io"))
          yield* alive.opened
        })
      )
      yield* alive.closed
    })
  )

  const printed = FastCheck.oneof(
    FastCheck.constantFrom("credentials not found in native keychain", "", canary, "null", `["${canary}"]`),
    FastCheck.string({ unit: "binary" }).map((text) => canary + text),
    FastCheck.record({
      Username: FastCheck.constantFrom("", "<token>", "bot", 1),
      Secret: FastCheck.constant(canary)
    }).map((fields) => JSON.stringify(fields))
  )

  it.scoped.prop(
    "ends in a value or a typed error that hides its secrets, whatever the helper prints",
    [printed, FastCheck.constantFrom(0, 1, 2)],
    ([stdout, status]) =>
      Effect.gen(function* () {
        writeFileSync(join(helpers.folder, "fuzzed.stdout"), stdout)
        writeFileSync(join(helpers.folder, "fuzzed.status"), String(status))
        const result = yield* Effect.either(ask("fuzzed"))
        if (Either.isLeft(result)) {
          assert.strictEqual(result.left._tag, "CredentialHelperError")
        }
        assertHidesCanary(result)
      }),
    { fastCheck: { numRuns: 30 } }
  )
})
