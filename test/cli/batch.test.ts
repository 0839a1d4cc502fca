// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Digest from "../../src/reference/Digest.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import type { Comparison } from "../../src/transport/PushTransport.ts"
import { at, gantry, written } from "./support/registries.ts"
import * as Samples from "./support/samples.ts"

const digest = Digest.unsafeParse(Samples.digest)
const otherDigest = Digest.unsafeParse(Samples.otherDigest)

/** Registries that have what was pushed to them, and under these targets something else. */
const remembering = (occupied: ReadonlyArray<string> = []) => {
  const contents = new Map(occupied.map((target) => [target, "something else"]))
  const compare = ({ source, target }: TestTransport.TransportCall): Comparison => {
    const content = contents.get(String(target))
    if (content === undefined) return { _tag: "Absent" }
    return content === String(source) ? { _tag: "Same", digest } : { _tag: "Different", digest: otherDigest }
  }
  return {
    compare: (call: TestTransport.TransportCall) => Effect.sync(() => compare(call)),
    push: (call: TestTransport.PushCall) =>
      Effect.sync(() => {
        const status = compare(call)._tag === "Same" ? ("unchanged" as const) : ("pushed" as const)
        contents.set(String(call.target), String(call.source))
        return TestTransport.result({ digest, status })
      })
  }
}

const file = `
version: 1
registries:
  prod: { uri: prod.test/team }
  mirror: { uri: mirror.test, protect: ["v*"] }
pushes:
  - source: app:\${VERSION:-1}
    to: ["@prod/app", "@mirror/app"]
    tags: ["v\${VERSION:-1}", "latest"]
  - source: worker:7
    to: "@prod/worker"
`

const all = [
  "prod.test/team/app:v1",
  "prod.test/team/app:latest",
  "mirror.test/app:v1",
  "mirror.test/app:latest",
  "prod.test/team/worker:7"
]

const sentOf = (calls: ReadonlyArray<TestTransport.TransportCall>) =>
  calls.filter(({ method }) => method === "push").map(({ target }) => String(target))

/** Runs with a report, and gives each target's status with the error's tag and reason. */
const batch = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  registries: ReturnType<typeof remembering> = remembering()
) {
  const fileSystem = yield* FileSystem.FileSystem
  const report = `${yield* fileSystem.makeTempDirectoryScoped()}/report.json`
  const ran = yield* gantry([...args, "--report", report], registries)
  const text = yield* Effect.orElseSucceed(fileSystem.readFileString(report), () => '{"results":[]}')
  const { results } = JSON.parse(text) as {
    results: ReadonlyArray<{ target: string; status: string; error?: { _tag: string; reason?: string } }>
  }
  const statuses = results.map(({ error, status, target }) =>
    [target, status, ...(error === undefined ? [] : [error._tag, error.reason])].join(" ")
  )
  return { ...ran, statuses, sent: sentOf(ran.calls) }
})

describe("gantry batch", () => {
  it.scoped("pushes all that the configuration file lists, and a second run finds everything unchanged", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const registries = remembering()
      const first = yield* batch(["batch", "--config", config], registries)
      assert.deepStrictEqual([first.code, first.statuses], [0, all.map((target) => `${target} pushed`)])
      assert.strictEqual(first.stdout, all.map((target) => `${target.replace(/:[^:]*$/, "")}@${digest}\n`).join(""))
      const second = yield* batch(["batch", config], registries)
      assert.deepStrictEqual([second.code, second.statuses], [0, all.map((target) => `${target} unchanged`)])
    }).pipe(at())
  )

  it.scoped("takes a list from a file or standard input, in YAML or JSON, with the configuration file's names", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const list = yield* written("pushes.json", JSON.stringify([{ source: "x:${N}", to: "@mirror/x" }]))
      const listed = yield* batch(["batch", list, "--config", config, "--set", "N=3"])
      assert.deepStrictEqual(listed.statuses, ["mirror.test/x:3 pushed"])
      const piped = yield* batch(["batch", "-", "--config", config])
      assert.deepStrictEqual(piped.statuses, ["prod.test/team/y:2 pushed"])
    }).pipe(at({ stdin: '- source: y:2\n  to: "@prod/y"\n' }))
  )

  it.scoped("takes a whole file from standard input, and leaves the configuration file alone", () =>
    Effect.gen(function* () {
      const broken = yield* written("gantry.yaml", "version: 2")
      const { code, statuses } = yield* batch(["batch", "-", "--config", broken])
      assert.deepStrictEqual([code, statuses.length], [0, all.length])
    }).pipe(at({ stdin: file }))
  )

  it.scoped("pushes to any host when the file has no registries", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", "version: 1\npushes: [{ source: a:1, to: [x.test/a, y.test/a] }]")
      assert.deepStrictEqual((yield* batch(["batch", config])).sent, ["x.test/a:1", "y.test/a:1"])
    }).pipe(at())
  )

  it.scoped("exits 2 and sends nothing of a wrong plan", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [text: string, said: ReadonlyArray<string>]> = [
        [
          `${file}  - { source: "other:1", to: "@prod/worker:7" }`,
          ["prod.test/team/worker:7", "library/worker:7", "library/other:1"]
        ],
        [`${file}  - { source: a:1, to: elsewhere.test/a }`, ["elsewhere.test/a:1", "prod.test/team, mirror.test"]],
        [`${file}  - { source: a:1, to: prod.test/teamwork/a }`, ["prod.test/teamwork/a:1"]],
        [`${file}  - { source: a:1, to: "@prdo/a" }`, ["pushes[2].to", "@prod"]],
        ["version: 1", ["lists no pushes"]],
        ["[]", ["lists no pushes"]],
        ["- { source: a:1 }", ["[0].to", "is missing"]]
      ]
      for (const [text, said] of wrong) {
        const { calls, code, stderr } = yield* gantry(["batch", yield* written("f.yaml", text)], remembering())
        assert.deepStrictEqual([code, calls.length], [2, 0], text)
        for (const words of said) assert.include(stderr, words)
      }
    }).pipe(at())
  )

  it.scoped("exits 2 without a file, without pushes in a terminal, and when two read standard input", () =>
    Effect.gen(function* () {
      const secret = file
        .replace("{ uri: mirror.test,", "{ uri: mirror.test, secret: bot,")
        .replace("pushes:", "secrets: { bot: { username: bot, password: { stdin: true } } }\npushes:")
      const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, stdin: string | undefined, said: string]> = [
        [[], "", "gantry batch FILE"],
        [["/nowhere/release.yaml"], "", "/nowhere/release.yaml"],
        [["-"], undefined, "standard input is a terminal"],
        [["-"], "pushes: [", "-:1:"],
        [["-"], secret, "batch - and the secret bot of - both read standard input"],
        [
          ["-", "--username", "me", "--password-stdin"],
          "[{ source: a:1, to: x.test/a }]",
          "batch - and --password-stdin both read"
        ]
      ]
      for (const [args, stdin, said] of wrong) {
        const { calls, code, stderr } = yield* gantry(["batch", ...args], remembering()).pipe(
          at(stdin === undefined ? {} : { stdin })
        )
        assert.deepStrictEqual([code, calls.length], [2, 0], said)
        assert.include(stderr, said)
      }
    }).pipe(at())
  )

  it.scoped("means the named one of two registries with one address, and refuses both at once", () =>
    Effect.gen(function* () {
      const twins = (...to: ReadonlyArray<string>) =>
        written(
          "gantry.yaml",
          `version: 1
registries:
  first: { uri: reg.test }
  main: { uri: reg.test, secret: bot }
secrets: { bot: { username: bot, password: { env: BOT } } }
pushes: [{ source: a:1, to: ${JSON.stringify(to)} }]`
        )
      const logins = Effect.fnUntraced(function* (...to: ReadonlyArray<string>) {
        const { calls, code } = yield* gantry(["batch", yield* twins(...to)], remembering())
        const login = ({ credential }: TestTransport.TransportCall) =>
          Option.match(credential, {
            onNone: () => "anonymous",
            onSome: ({ kind }) => (kind._tag === "UsernamePassword" ? Redacted.value(kind.password) : kind._tag)
          })
        return [code, ...calls.map(login)]
      })
      assert.deepStrictEqual(yield* logins("@main/a"), [0, "hunter2"])
      assert.deepStrictEqual(yield* logins("@first/a"), [0, "anonymous"])
      assert.deepStrictEqual(yield* logins("@first/a", "@main/b"), [2])
    }).pipe(at({ variables: { BOT: "hunter2" } }))
  )
})

describe("gantry batch and push, --only", () => {
  it.scoped("chooses by source and target, and exits 2 when nothing matches", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const only = (...globs: ReadonlyArray<string>) =>
        batch(["batch", config, ...globs.flatMap((glob) => ["--only", glob])])
      assert.deepStrictEqual((yield* only("@mirror/*")).sent, ["mirror.test/app:v1", "mirror.test/app:latest"])
      assert.deepStrictEqual((yield* only("app:*", "!mirror.test/*", "!*:latest")).sent, ["prod.test/team/app:v1"])
      const none = yield* only("@miror/*")
      assert.deepStrictEqual([none.code, none.calls.length], [2, 0])
      assert.include(none.stderr, "--only @miror/*")
      const pushed = yield* batch(["push", "a:1", "b:2", "--only", "b*"])
      assert.deepStrictEqual(pushed.sent, ["docker.io/library/b:2"])
    }).pipe(at())
  )
})

describe("gantry batch and push, --on-existing and protect", () => {
  const occupied = ["prod.test/team/app:v1", "mirror.test/app:v1", "mirror.test/app:latest"]

  for (const [option, code, statuses] of [
    ["overwrite", 1, ["pushed", "pushed", "failed TagExists protected", "pushed", "pushed"]],
    ["skip", 0, ["skipped", "pushed", "skipped", "skipped", "pushed"]],
    [
      "fail",
      1,
      ["failed TagExists on-existing", "pushed", "failed TagExists protected", "failed TagExists on-existing", "pushed"]
    ]
  ] as const) {
    it.scoped(`${option}: a protected tag keeps what it has, and a dry run says so before`, () =>
      Effect.gen(function* () {
        const config = yield* written("gantry.yaml", file)
        const registries = remembering(occupied)
        const foreseen = yield* batch(["batch", config, "--on-existing", option, "--dry-run"], registries)
        assert.deepStrictEqual(foreseen.sent, [])
        assert.deepStrictEqual(
          foreseen.statuses,
          statuses.map((status, index) => {
            const target = all[index] ?? ""
            if (status === "pushed") return `${target} ${occupied.includes(target) ? "would-overwrite" : "would-push"}`
            return `${target} ${status.replace("failed", "would-fail")}`
          })
        )
        const ran = yield* batch(["batch", config, "--on-existing", option], registries)
        assert.deepStrictEqual(
          [ran.code, ran.statuses],
          [code, statuses.map((status, index) => `${all[index]} ${status}`)]
        )
        assert.notInclude(ran.sent, "mirror.test/app:v1")
      }).pipe(at())
    )
  }

  it.scoped("prints of a skipped push what the tag has", () =>
    Effect.gen(function* () {
      const { stdout } = yield* batch(
        ["push", "a:1", "--to", "x.test/a", "--on-existing", "skip"],
        remembering(["x.test/a:1"])
      )
      assert.strictEqual(stdout, `x.test/a@${otherDigest}\n`)
    }).pipe(at())
  )

  it.scoped("protects from push and from the variable of --on-existing, too", () =>
    Effect.gen(function* () {
      const config = yield* written("gantry.yaml", file)
      const push = ["push", "other:1", "--config", config]
      const protectedTag = yield* batch([...push, "--to", "mirror.test/app:v1"], remembering(occupied))
      assert.deepStrictEqual([protectedTag.code, protectedTag.sent], [1, []])
      assert.include(protectedTag.stderr, "protected")
      const variable = yield* batch([...push, "--to", "@prod/app:v1"], remembering(occupied)).pipe(
        at({ variables: { GANTRY_ON_EXISTING: "fail" } })
      )
      assert.deepStrictEqual([variable.code, variable.sent], [1, []])
    }).pipe(at())
  )
})
