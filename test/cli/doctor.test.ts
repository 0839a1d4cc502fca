import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { DoctorReport, type Finding } from "../../src/cli/Finding.ts"
import type { Machine } from "../../src/cli/Machine.ts"
import type * as Credential from "../../src/credential/Credential.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import { EngineUnavailable } from "../../src/engine/EngineError.ts"
import * as TestEngine from "../../src/testing/TestEngine.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import * as TestConsole from "./support/console.ts"
import { at, credential, gantry, users, written } from "./support/registries.ts"

const token = { type: "token", users } as const

const file = `
version: 1
registries:
  main: { uri: reg.test/team, secret: dev, defaultRepository: app }
  other: { uri: other.test, secret: wrong }
secrets:
  dev: { username: dev, password: { env: DEV_PASSWORD } }
  wrong: { username: dev, password: { env: WRONG_PASSWORD } }
`

const two = "version: 1\nregistries: { one: { uri: a.test }, two: { uri: b.test } }\n"

const passwords = { DEV_PASSWORD: "dev-password", WRONG_PASSWORD: "hunter2-hunter2" }

const engineOf =
  (script: TestEngine.TestEngineScript = {}): Machine["engine"] =>
  () =>
    TestEngine.layer(script)

const deadEngine: Machine["engine"] = ({ host, origin }) =>
  TestEngine.layer({
    fail: () =>
      new EngineUnavailable({
        endpoint: host ?? "unix:///the-default.sock",
        origin: origin ?? "the default",
        reason: "not-found",
        detail: "connect ENOENT"
      })
  })

/** An engine that listens and never says what it is. */
const silentEngine: Machine["engine"] = () =>
  Layer.provide(
    Layer.effect(
      DockerEngine.DockerEngine,
      Effect.map(DockerEngine.DockerEngine, (engine) => ({ ...engine, version: Effect.never }))
    ),
    TestEngine.layer({})
  )

interface Setting {
  readonly config?: string
  readonly dockerConfig?: string
  readonly engine?: Machine["engine"]
  readonly args?: ReadonlyArray<string>
  readonly variables?: Readonly<Record<string, string>>
  readonly credentials?: ReadonlyArray<Credential.Credential>
  readonly faults?: ReadonlyArray<TestRegistry.TestFault>
}

/** Runs the doctor where nothing of this machine is seen, and gives its findings. */
const examine = Effect.fnUntraced(function* (setting: Setting = {}) {
  const docker = yield* written("config.json", setting.dockerConfig ?? "{}")
  const config = setting.config === undefined ? [] : ["--config", yield* written("gantry.yaml", setting.config)]
  const variables = {
    ...passwords,
    DOCKER_CONFIG: docker.slice(0, -"/config.json".length),
    REGISTRY_AUTH_FILE: `${docker}.none`,
    ...setting.variables
  }
  const { code, stderr, stdout } = yield* Effect.gen(function* () {
    const { fault } = yield* TestRegistry.TestRegistry
    yield* Effect.forEach(setting.faults ?? [], fault)
    return yield* gantry(["doctor", "--output", "json", ...config, ...(setting.args ?? [])], {
      engine: setting.engine ?? engineOf(),
      credentials: setting.credentials ?? []
    })
  }).pipe(at({ variables, authentication: token }))
  const report = Schema.decodeUnknownSync(DoctorReport)(JSON.parse(stdout))
  const of = (check: Finding["check"]) => report.findings.filter((finding) => finding.check === check)
  return { code, of, report, text: stdout + stderr }
}, at())

/** Lets second after second pass until the fiber has ended. */
const whileTimePasses = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipLeft(Fiber.poll(fiber), TestClock.adjust("1 second")).pipe(
    Effect.repeat({ until: Option.isSome }),
    Effect.zipRight(Fiber.join(fiber))
  )

const brief = (findings: ReadonlyArray<Finding>) => findings.map(({ status, what }) => `${status}: ${what}`)

describe("gantry doctor", () => {
  it.scoped("exits 0 when everything works, and says so of each thing in order", () =>
    Effect.gen(function* () {
      const { code, report } = yield* examine({ config: file.replace(/ {2}other:.*\n/, "") })
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        report.findings.map(({ check, status }) => [check, status]),
        [
          ["context", "ok"],
          ["engine", "ok"],
          ["insecure-registries", "skipped"],
          ["config-file", "ok"],
          ["docker-config", "ok"],
          ["credential-helper", "skipped"],
          ["proxy", "ok"],
          ["registry", "ok"],
          ["clock", "skipped"]
        ]
      )
      assert.deepStrictEqual([report.ok, report.skipped, report.warnings, report.failed, report.total], [6, 3, 0, 0, 9])
    })
  )

  it.scoped("names a dead engine, an unknown context and a malformed config.json in one run, and exits 1", () =>
    Effect.gen(function* () {
      const { code, of } = yield* examine({
        engine: deadEngine,
        dockerConfig: '{ "auths": [',
        variables: { DOCKER_HOST: "unix:///dead.sock", DOCKER_CONTEXT: "nope" }
      })
      assert.strictEqual(code, 1)
      assert.match(brief(of("context"))[1] ?? "", /^warning: .*"nope".* It is not used now: DOCKER_HOST goes before it/)
      assert.match(brief(of("engine"))[0] ?? "", /^failed: .*unix:\/\/\/dead\.sock \(from DOCKER_HOST\)/)
      assert.match(brief(of("docker-config"))[0] ?? "", /^failed: .*config\.json \(at character 12\)/)
    })
  )

  it.scoped("asks the default engine in the place of a context that can not be used", () =>
    Effect.gen(function* () {
      const variables = { DOCKER_CONTEXT: "nope" }
      const dead = yield* examine({ engine: deadEngine, dockerConfig: "{", variables })
      assert.deepStrictEqual(
        [...dead.of("context"), ...dead.of("engine"), ...dead.of("docker-config")].map(({ status }) => status),
        ["failed", "failed", "failed"]
      )
      assert.match(dead.of("engine")[0]?.what ?? "", /^The default engine, .*unix:\/\/\/the-default\.sock/)
      const alive = yield* examine({ variables })
      assert.deepStrictEqual([alive.code, alive.of("engine")[0]?.status], [1, "warning"])
    })
  )

  it.scoped("tells of the context that config.json names while DOCKER_HOST goes before it", () =>
    Effect.gen(function* () {
      const dockerConfig = JSON.stringify({ currentContext: "gone" })
      const { code, of } = yield* examine({ dockerConfig, variables: { DOCKER_HOST: "unix:///e.sock" } })
      assert.deepStrictEqual([code, of("context").map(({ status }) => status)], [0, ["ok", "warning"]])
      assert.match(of("context")[1]?.what ?? "", /"gone"/)
    })
  )

  it.scoped(
    "takes a context that --context names and nobody knows for a finding, and the engine at --host for the one",
    () =>
      Effect.gen(function* () {
        const variables = { DOCKER_HOST: "unix:///env.sock", DOCKER_CONTEXT: "stale" }
        const unknown = yield* examine({ args: ["--context", "nope"], variables })
        assert.strictEqual(unknown.code, 1)
        assert.deepStrictEqual(
          unknown.of("context").map(({ status, what }) => [status, /^[\w-]+ is "\w+"/.exec(what)?.[0]]),
          [
            ["failed", '--context is "nope"'],
            ["warning", 'DOCKER_CONTEXT is "stale"']
          ]
        )
        const given = yield* examine({ args: ["--host", "unix:///given.sock"], engine: deadEngine, variables })
        assert.match(given.of("engine")[0]?.what ?? "", /unix:\/\/\/given\.sock \(from --host\)/)
      })
  )

  it.effect("gives up an engine that does not answer within 10 s, and still tells the rest", () =>
    Effect.gen(function* () {
      const running = yield* Effect.fork(Effect.scoped(examine({ engine: silentEngine, config: "version: 1" })))
      const { code, of } = yield* whileTimePasses(running)
      assert.strictEqual(code, 1)
      assert.match(brief(of("engine"))[0] ?? "", /^failed: .*within 10 seconds/)
      assert.strictEqual(of("config-file")[0]?.status, "ok")
    })
  )

  it.scoped("warns of an engine that is too old for --platform, and exits 0", () =>
    Effect.gen(function* () {
      for (const [apiVersion, status] of [
        ["1.45", "warning"],
        ["1.46", "ok"],
        ["2.0", "ok"]
      ] as const) {
        const { code, of } = yield* examine({ engine: engineOf({ version: { apiVersion } }) })
        assert.deepStrictEqual([code, of("engine")[0]?.status], [0, status])
      }
    })
  )

  it.scoped("says which registries without good TLS the engine will not push to", () =>
    Effect.gen(function* () {
      const config = `
version: 1
registries:
  loop: { uri: "localhost:5000" }
  near: { uri: "10.1.2.3:5000", tls: "off" }
  far: { uri: "10.9.2.3:5000", tls: skip-verify }
  named: { uri: "lab.test:5000", tls: "off" }
  maybe: { uri: "lab.test:5001", tls: "off" }
  good: { uri: reg.test }
`
      const { code, of } = yield* examine({
        config,
        engine: engineOf({
          info: { insecureRegistries: ["lab.test:5000"], insecureNetworks: ["127.0.0.0/8", "10.1.0.0/16"] }
        })
      })
      assert.strictEqual(code, 1)
      const told = of("insecure-registries")
      assert.deepStrictEqual(
        told.map(({ status, what }) => [/@(\w+)/.exec(what)?.[1], status]),
        [
          ["loop", "ok"],
          ["near", "ok"],
          ["far", "failed"],
          ["named", "ok"],
          ["maybe", "warning"]
        ]
      )
      assert.match(told[2]?.todo ?? "", /"insecure-registries": \["10\.9\.2\.3:5000"\]/)
    })
  )

  it.scoped("tells every line of a file that is wrong, and does everything else", () =>
    Effect.gen(function* () {
      const { code, of } = yield* examine({ config: "version: 1\nregistry: {}\npushs: []\n" })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(
        of("config-file").map(({ status, what }) => [status, /:(\d+:\d+): /.exec(what)?.[1]]),
        [
          ["failed", "2:1"],
          ["failed", "3:1"]
        ]
      )
      assert.deepStrictEqual([of("engine")[0]?.status, of("registry")[0]?.status], ["ok", "skipped"])
    })
  )

  it.scoped("warns of an entry of config.json that can not be used, and shows nothing of it", () =>
    Effect.gen(function* () {
      const dockerConfig = JSON.stringify({ auths: { "reg.test": { auth: "%%s3cret%%" } } })
      const { code, of, text } = yield* examine({ dockerConfig })
      assert.deepStrictEqual([code, of("docker-config").map(({ status }) => status)], [0, ["ok", "warning"]])
      assert.notInclude(text, "s3cret")
    })
  )

  it.scoped("fails for a helper that is not on the PATH, and only warns when no registry of the file needs it", () =>
    Effect.gen(function* () {
      const config = "version: 1\nregistries: { main: { uri: reg.test } }\n"
      const statuses = (dockerConfig: object) =>
        Effect.map(examine({ config, dockerConfig: JSON.stringify(dockerConfig) }), ({ of }) =>
          of("credential-helper").map(({ status, todo, what }) => [status, what.includes("PATH"), todo?.slice(0, 7)])
        )
      const missing = ["failed", true, "Install"]
      assert.deepStrictEqual(yield* statuses({ credsStore: "not-here" }), [missing])
      assert.deepStrictEqual(yield* statuses({ credHelpers: { "reg.test": "not-here" } }), [missing])
      assert.deepStrictEqual(yield* statuses({ credHelpers: { "gcr.io": "not-here" } }), [
        ["warning", ...missing.slice(1)]
      ])
    })
  )

  it.scoped("shows proxies without their passwords, and where the engine's are others", () =>
    Effect.gen(function* () {
      const { code, of, text } = yield* examine({
        engine: engineOf({ info: { httpsProxy: "http://proxy.test:3128" } }),
        variables: {
          HTTPS_PROXY: "http://me:pr0xy-pass@proxy.test:3128/?token=abc",
          http_proxy: "proxy.test:8080",
          NO_PROXY: "localhost"
        }
      })
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(brief(of("proxy")), [
        "ok: gantry has HTTP_PROXY http://proxy.test:8080.",
        "ok: gantry has HTTPS_PROXY http://***@proxy.test:3128.",
        "ok: gantry has NO_PROXY localhost.",
        "warning: The engine has another HTTP_PROXY than gantry: none, and gantry has http://proxy.test:8080.",
        "warning: The engine has another NO_PROXY than gantry: none, and gantry has localhost."
      ])
      for (const secret of ["pr0xy-pass", "token=abc"]) assert.notInclude(text, secret)
    })
  )

  it.scoped("fails for a proxy that is no URL, without repeating it", () =>
    Effect.gen(function* () {
      const { code, of, text } = yield* examine({ variables: { HTTPS_PROXY: "s0cks5://me:pr0xy-pass@x" } })
      assert.deepStrictEqual([code, of("proxy")[0]?.status], [1, "failed"])
      assert.notInclude(text, "pr0xy-pass")
    })
  )

  it.scoped("tells a wrong password of one registry and what the other lets us do, and shows no password", () =>
    Effect.gen(function* () {
      const { code, of, text } = yield* examine({ config: file })
      const [main, other] = of("registry")
      assert.strictEqual(code, 1)
      assert.strictEqual(main?.what, "@main (reg.test/team) lets us in with secret dev. Push to team/app: granted.")
      assert.match(other?.what ?? "", /^@other \(other\.test\), with secret wrong: .* does not accept the credential/)
      assert.match(other?.todo ?? "", /^Log in again/)
      for (const password of Object.values(passwords)) assert.notInclude(text, password)
    })
  )

  it.effect("gives up a registry that does not answer within 15 s, and still tells of the others", () =>
    Effect.gen(function* () {
      const faults = [{ registry: "a.test", effect: { type: "hang" } }] as const
      const running = yield* Effect.fork(Effect.scoped(examine({ config: two, faults })))
      const { code, of } = yield* whileTimePasses(running)
      assert.strictEqual(code, 1)
      assert.match(brief(of("registry"))[0] ?? "", /^failed: @one \(a\.test\) does not answer within 15 seconds/)
      assert.match(brief(of("clock"))[0] ?? "", /^skipped: a\.test does not answer/)
      assert.match(brief(of("registry"))[1] ?? "", /^ok: @two /)
    })
  )

  it.scoped("tells of a registry that is down what to do about it", () =>
    Effect.gen(function* () {
      const { code, of } = yield* examine({
        config: two,
        faults: [{ registry: "a.test", effect: { type: "disconnect" } }]
      })
      assert.strictEqual(code, 1)
      assert.match(of("registry")[0]?.what ?? "", /^@one \(a\.test\), .*: The connection to a\.test broke/)
      assert.match(of("registry")[0]?.todo ?? "", /^Try again/)
    })
  )

  const noon = "2026-01-02T12:00:00Z"

  const skews = [
    ["Fri, 02 Jan 2026 12:01:00 GMT", "ok", "within 1 min 0 s"],
    ["Fri, 02 Jan 2026 12:01:01 GMT", "warning", "1 min 1 s behind"],
    ["Fri, 02 Jan 2026 11:58:30 GMT", "warning", "1 min 30 s ahead of"],
    ["Fri, 02 Jan 2026 12:05:00 GMT", "warning", "5 min 0 s behind"],
    ["Fri, 02 Jan 2026 12:05:01 GMT", "failed", "5 min 1 s behind"],
    ["Fri, 02 Jan 2026 11:00:00 GMT", "failed", "60 min 0 s ahead of"],
    ["no date at all", "skipped", "does not say"]
  ] as const

  for (const [date, status, words] of skews) {
    it.scoped(`compares its clock with a registry that says ${date}: ${status}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(DateTime.unsafeMake(noon).epochMillis)
        const answer = { type: "answer", status: 200, headers: { date } } as const
        const { code, of } = yield* examine({
          config: "version: 1\nregistries: { one: { uri: a.test }, again: { uri: a.test/team } }\n",
          credentials: [credential("a.test", "dev")],
          faults: [{ path: /^\/v2\/$/, effect: answer }]
        })
        const [told, ...others] = of("clock")
        assert.deepStrictEqual([told?.status, others], [status, []])
        assert.include(told?.what, words)
        if (status === "failed") assert.strictEqual(code, 1)
      })
    )
  }

  it.scoped("prints a line a finding, what to do below it, and how many there are", () =>
    Effect.gen(function* () {
      const docker = yield* written("config.json", "{}")
      const { code, stdout } = yield* gantry(["doctor"], { engine: deadEngine }).pipe(
        at({
          variables: {
            DOCKER_CONFIG: docker.slice(0, -"/config.json".length),
            DOCKER_HOST: "unix:///dead.sock",
            REGISTRY_AUTH_FILE: `${docker}.none`
          }
        })
      )
      assert.strictEqual(code, 1)
      assert.include(
        stdout,
        "failed   engine               No Docker Engine answers at unix:///dead.sock (from DOCKER_HOST): connect ENOENT.\n" +
          "                              Start the engine, "
      )
      assert.match(stdout, /\n\n9 findings: 3 ok, 0 warnings, 1 failed, 5 skipped\n$/)
    }).pipe(at())
  )

  it.effect("ends at once with a signal, and exits 130", () =>
    Effect.gen(function* () {
      const running = yield* Effect.fork(gantry(["doctor"], { engine: silentEngine }))
      const { signal } = yield* TestConsole.TestConsole
      yield* signal("SIGINT")
      const { code, stdout } = yield* Fiber.join(running)
      assert.deepStrictEqual([code, stdout], [130, ""])
    }).pipe(Effect.scoped, at({ variables: { DOCKER_CONFIG: "/nowhere", REGISTRY_AUTH_FILE: "/nowhere/auth.json" } }))
  )
})
