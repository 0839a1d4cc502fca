// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { RegistryUnauthorized } from "../../src/distribution/RegistryError.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { at, credential, gantry, written } from "./support/registries.ts"
import * as Samples from "./support/samples.ts"

const digest = Digest.unsafeParse(Samples.digest)
const push = () => Effect.succeed(TestTransport.result({ digest }))

const file = `
version: 1
registries:
  main: { uri: "\${HOST:-reg.test}/team", secret: bot, tls: skip-verify, concurrency: 1 }
  plain: { uri: plain.test, tls: "off" }
secrets:
  bot: { username: bot, password: { env: BOT_PASSWORD } }
`

const variables = { BOT_PASSWORD: "bot-password" }

const loginOf = ({ credential }: TestTransport.TransportCall) =>
  Option.map(credential, ({ kind }) =>
    kind._tag === "UsernamePassword" ? `${kind.username}:${Redacted.value(kind.password)}` : kind._tag
  ).pipe(Option.getOrUndefined)

describe("gantry push with a configuration file", () => {
  it.scoped("pushes to @NAME/repository with the registry's own secret and TLS, and with the machine's elsewhere", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const targets = ["@main/app", "@plain/app:2", "reg.test/else/app"].flatMap((target) => ["--to", target])
      const { calls, code, stdout } = yield* gantry(["push", "app:1", ...targets, "--config", config], {
        push,
        credentials: [credential("reg.test", "me"), credential("plain.test", "me")]
      })
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        stdout,
        ["reg.test/team/app", "plain.test/app", "reg.test/else/app"].map((name) => `${name}@${digest}\n`).join("")
      )
      const sent = calls.map((call) => [String(call.target), loginOf(call), Option.getOrUndefined(call.tls)])
      assert.sameDeepMembers(sent, [
        ["reg.test/team/app:1", "bot:bot-password", "skip-verify"],
        ["plain.test/app:2", "me:me-password", "off"],
        ["reg.test/else/app:1", "me:me-password", undefined]
      ])
    }).pipe(at({ variables }))
  )

  it.scoped("joins the two spellings of one target, and treats an image's own name as the registry's too", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const targets = ["--to", "@main/app", "--to", "REG.test/team/app:1"]
      const { calls } = yield* gantry(["push", "app:1", ...targets, "--config", config], { push })
      assert.deepStrictEqual(calls.map(loginOf), ["bot:bot-password"])
    }).pipe(at({ variables }))
  )

  it.scoped("means the named one of two registries with one address, and refuses both at once", () =>
    Effect.gen(function* () {
      const twins = file.replace("registries:", 'registries:\n  first: { uri: "${HOST:-reg.test}/team" }')
      const config = yield* written("gantry.yaml", twins)
      const pushTo = (...names: ReadonlyArray<string>) =>
        gantry(["push", "app:1", ...names.flatMap((name) => ["--to", `@${name}/app`]), "--config", config], { push })
      assert.deepStrictEqual((yield* pushTo("main")).calls.map(loginOf), ["bot:bot-password"])
      assert.deepStrictEqual((yield* pushTo("first")).calls.map(loginOf), [undefined])
      const both = yield* pushTo("main", "first")
      assert.deepStrictEqual([both.code, both.calls.length], [2, 0])
    }).pipe(at({ variables }))
  )

  it.scoped("lets the registry's secret win over --username, and the options over the file for TLS", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const args = ["--config", config, "--username", "me", "--password-stdin", "--plain-http", "reg.test"]
      const { calls } = yield* gantry(["push", "app:1", "--to", "@main/app", "--to", "reg.test/else/app", ...args], {
        push
      })
      assert.sameDeepMembers(
        calls.map((call) => [loginOf(call), Option.getOrUndefined(call.tls)]),
        [
          ["bot:bot-password", "off"],
          ["me:piped", "off"]
        ]
      )
    }).pipe(at({ variables, stdin: "piped\n" }))
  )

  it.scoped("puts the values of --set in before the environment's", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { stdout } = yield* gantry(["push", "app:1", "--to", "@main/app", "--set", "HOST=set.test"], { push }).pipe(
        at({ variables: { ...variables, GANTRY_CONFIG: config, HOST: "environment.test" } })
      )
      assert.strictEqual(stdout, `set.test/team/app@${digest}\n`)
    }).pipe(at())
  )

  it.scoped("exits 3 with a secret that is not to be had, and does not try the machine's credential", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { calls, code, stderr } = yield* gantry(["push", "app:1", "--to", "@main/app", "--config", config], {
        push,
        credentials: [credential("reg.test", "me")]
      })
      assert.deepStrictEqual([code, calls.length], [3, 0])
      assert.include(stderr, "BOT_PASSWORD")
    }).pipe(at())
  )

  it.scoped("takes no other credential when the registry refuses the secret", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const { calls, code } = yield* gantry(["push", "app:1", "--to", "@main/app", "--config", config], {
        push: () => Effect.fail(new RegistryUnauthorized({ registry: "reg.test", text: "no" })),
        credentials: [credential("reg.test", "me")]
      })
      assert.deepStrictEqual([code, ...new Set(calls.map(loginOf))], [3, "bot:bot-password"])
    }).pipe(at({ variables }))
  )

  for (const [option, most] of [
    [[], 1],
    [["--concurrency", "2"], 2]
  ] as const) {
    it.scoped(
      `pushes ${most} at once to a registry whose concurrency is 1, ${option.join(" ") || "without options"}`,
      () =>
        Effect.gen(function* () {
          const config = yield* written("gantry.yaml", file)
          const running = yield* Ref.make(0)
          const seen = yield* Ref.make(0)
          const fiber = yield* Effect.fork(
            gantry(
              [
                "push",
                "a:1",
                "--config",
                config,
                ...option,
                ...["x", "y", "z"].flatMap((name) => ["--to", `@main/${name}`])
              ],
              {
                push: () =>
                  Effect.acquireUseRelease(
                    Effect.tap(
                      Ref.updateAndGet(running, (count) => count + 1),
                      (count) => Ref.update(seen, (most) => Math.max(most, count))
                    ),
                    () => Effect.delay(push(), "1 second"),
                    () => Ref.update(running, (count) => count - 1)
                  )
              }
            )
          )
          yield* Effect.zipLeft(Fiber.poll(fiber), TestClock.adjust("1 second")).pipe(
            Effect.repeat({ until: Option.isSome })
          )
          assert.strictEqual((yield* Fiber.join(fiber)).code, 0)
          assert.strictEqual(yield* Ref.get(seen), most)
        }).pipe(at({ variables }))
    )
  }

  it.scoped("exits 2 and sends nothing for a name that nobody has, a broken file, and two readers of one stdin", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const broken = yield* written("gantry.yaml", file.replace("tls: skip-verify", "tls: maybe"))
      const piped = yield* written("gantry.yaml", file.replace("{ env: BOT_PASSWORD }", "{ stdin: true }"))
      const login = ["--username", "me", "--password-stdin"]
      const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, said: string]> = [
        [["--to", "@mian/app", "--config", config], "main"],
        [["--to", "@main/app"], 'no registry "main"'],
        [["--to", "@main/app", "--config", broken], `${broken}:4:`],
        [["--to", "@main/app", "--config", piped, ...login], "both read standard input"]
      ]
      for (const [args, said] of wrong) {
        const { calls, code, stderr, stdout } = yield* gantry(["push", "app:1", ...args], { push })
        assert.deepStrictEqual([code, stdout, calls.length], [2, "", 0], args.join(" "))
        assert.include(stderr, said)
      }
    }).pipe(at({ variables, stdin: "piped" }))
  )
})
