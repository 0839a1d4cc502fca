import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { run } from "../../src/cli/application.ts"
import type { Machine } from "../../src/cli/Machine.ts"
// `gantry push` loads it when it runs; here it is loaded before, so that no test waits for it.
import "../../src/cli/PushRun.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as Keychain from "../../src/credential/Keychain.ts"
import { RegistryRateLimited, RegistryRejected, RegistryUnauthorized } from "../../src/distribution/RegistryError.ts"
import { EngineContextInvalid } from "../../src/engine/EngineError.ts"
import { ImageNotFound } from "../../src/push/PushError.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import * as TestConsole from "./support/console.ts"
import * as Samples from "./support/samples.ts"

const digest = Digest.unsafeParse(Samples.digest)

/** Runs gantry with a scripted transport; `calls` are the requests that reached it. */
const gantry = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  options: TestTransport.TestTransportScript & {
    readonly credentials?: ReadonlyArray<Credential.Credential>
    readonly engine?: ReturnType<Machine["transport"]>
  } = {}
) {
  const { credentials, engine, ...script } = options
  const push = script.push ?? (() => Effect.succeed(TestTransport.result({ digest })))
  const transport = yield* Layer.build(TestTransport.layer({ ...script, push }))
  const machine: Machine = {
    transport: () => engine ?? Layer.succeedContext(transport),
    engine: () => Layer.die("nobody asks the engine"),
    keychain: Keychain.layerMemory(credentials ?? []),
    version: "1.2.3",
    credentialHelper: "/nowhere"
  }
  const code = yield* run(args, { version: "1.2.3", machine: Effect.succeed(machine) })
  const { stderr, stdout } = yield* TestConsole.TestConsole
  const { calls } = Context.get(transport, TestTransport.TestTransport)
  return { code, stdout: yield* stdout, stderr: yield* stderr, calls: yield* calls }
})

const node = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)

const at =
  (stdin?: string, environment: ReadonlyArray<readonly [string, string]> = []) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment))),
      Effect.provide(Layer.merge(node, TestConsole.layer(stdin)))
    )

const folder = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* fileSystem.makeTempDirectoryScoped()
  return {
    file: (name: string) => path.join(directory, name),
    read: (name: string) => fileSystem.readFileString(path.join(directory, name)),
    names: fileSystem.readDirectory(directory)
  }
})

/** Lets second after second pass until the fiber has ended. */
const whileTimePasses = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipLeft(Fiber.poll(fiber), TestClock.adjust("1 second")).pipe(
    Effect.repeat({ until: Option.isSome }),
    Effect.zipRight(Fiber.join(fiber))
  )

const rejected = (target: string) => new RegistryRejected({ registry: "reg.io", repository: target, text: "no" })

describe("gantry push", () => {
  it.scoped("pushes every source to every target and prints the digests in the plan's order", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        gantry(["push", "a:1", "b:2", "--to", "reg.io/x", "--to=other.io/x", "--progress", "none"], {
          // The first target is the slowest, so the order can not come from who ends first.
          push: ({ target }) =>
            Effect.delay(
              Effect.succeed(TestTransport.result({ digest })),
              target.registry === "reg.io" ? "2 seconds" : "1 second"
            )
        })
      )
      const { calls, code, stdout } = yield* whileTimePasses(fiber)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        stdout,
        ["reg.io/x", "other.io/x", "reg.io/x", "other.io/x"].map((name) => `${name}@${digest}\n`).join("")
      )
      assert.strictEqual(calls.length, 4)
    }).pipe(at())
  )

  it.scoped("prints the report as one JSON document with --output json", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* gantry(["push", "reg.io/a:1", "--output", "json"])
      const report = JSON.parse(stdout)
      assert.strictEqual(code, 0)
      assert.deepInclude(report, { schemaVersion: 1, total: 1, pushed: 1, failed: 0 })
      assert.deepInclude(report.results[0], { target: "reg.io/a:1", repoDigest: `reg.io/a@${digest}`, attempts: 1 })
    }).pipe(at())
  )

  it.scoped("goes on after a failure, leaves the failed one out of stdout and says why on stderr", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* gantry(["push", "reg.io/a:1", "reg.io/b:1"], {
        push: ({ target }) =>
          target.repository === "a" ? Effect.fail(rejected("a")) : Effect.succeed(TestTransport.result({ digest }))
      })
      assert.strictEqual(code, 1)
      assert.strictEqual(stdout, `reg.io/b@${digest}\n`)
      assert.include(stderr, 'reg.io/a:1: failed: reg.io/a refused. It said: "no".')
    }).pipe(at())
  )

  it.scoped("tells everything that is wrong with the arguments at once and sends nothing", () =>
    Effect.gen(function* () {
      const { calls, code, stderr, stdout } = yield* gantry([
        "push",
        "UPPER",
        "--concurrency",
        "0",
        "--report",
        "x.txt"
      ])
      assert.deepStrictEqual([code, stdout, calls.length], [2, "", 0])
      for (const name of ["UPPER", "--concurrency", "--report"]) assert.include(stderr, name)
    }).pipe(at())
  )

  it.scoped("tells everything that is wrong with the plan at once and sends nothing", () =>
    Effect.gen(function* () {
      const { calls, code, stderr, stdout } = yield* gantry([
        ...["push", "a:1", "b:1", "--to", "reg.io/x", "--to", "other.io/x", "--username", "me", "--password-stdin"],
        ...["--plain-http", "reg.io", "--tls-skip-verify", "reg.io", "--report", "/nonexistent/r.json"]
      ])
      assert.deepStrictEqual([code, stdout, calls.length], [2, "", 0])
      for (const name of ["reg.io/x:1", "other.io/x:1", "--plain-http", "/nonexistent/r.json"]) {
        assert.include(stderr, name)
      }
    }).pipe(at("hunter2"))
  )

  it.scoped("sends nothing when two of its files are one, which would lose what the first was to hold", () =>
    Effect.gen(function* () {
      const { calls, code, stderr } = yield* gantry([
        ...["push", "reg.io/a:1", "--events", "/tmp/run.json", "--record", "/tmp/./run.json"]
      ])
      assert.deepStrictEqual([code, calls.length], [2, 0])
      assert.include(stderr, "--events and --record name the same file, /tmp/run.json: give each one of its own")
    }).pipe(at())
  )

  it.scoped("logs in with --username and the piped password, and with nothing of the machine's", () =>
    Effect.gen(function* () {
      const stored = Credential.usernamePassword({ host: "reg.io", username: "stored", password: Redacted.make("old") })
      const { calls, code, stderr, stdout } = yield* gantry(
        ["push", "reg.io/a:1", "--username", "me", "--password-stdin", "--progress", "json", "--output", "json"],
        { credentials: [stored] }
      )
      const kind = Option.getOrThrow(calls[0]?.credential ?? Option.none()).kind
      assert.strictEqual(code, 0)
      assert(kind._tag === "UsernamePassword")
      assert.deepStrictEqual([kind.username, Redacted.value(kind.password)], ["me", "hun ter2"])
      assert.notInclude(stderr + stdout, "hun ter2")
    }).pipe(at("hun ter2\r\n"))
  )

  it.scoped("uses what the machine knows of the host when no name is given", () =>
    Effect.gen(function* () {
      const stored = Credential.usernamePassword({ host: "reg.io", username: "stored", password: Redacted.make("old") })
      const { calls } = yield* gantry(["push", "reg.io/a:1", "--to", "reg.io/a", "--to", "other.io/a"], {
        credentials: [stored]
      })
      const known = calls.map(({ credential, target }) => [target.registry, Option.isSome(credential)])
      assert.deepStrictEqual(
        new Map(known as Array<[string, boolean]>),
        new Map([
          ["reg.io", true],
          ["other.io", false]
        ])
      )
    }).pipe(at())
  )

  it.scoped("refuses --username alone, --password-stdin alone, two hosts, an empty password and a terminal", () =>
    Effect.gen(function* () {
      const login = ["--username", "me", "--password-stdin"]
      const wrong = [
        ["push", "reg.io/a:1", "--username", "me"],
        ["push", "reg.io/a:1", "--password-stdin"],
        ["push", "reg.io/a:1", "--to", "reg.io/a", "--to", "other.io/a", ...login]
      ]
      for (const args of wrong) {
        assert.strictEqual((yield* gantry(args).pipe(at("hunter2"))).code, 2, args.join(" "))
      }
      const empty = yield* gantry(["push", "reg.io/a:1", ...login]).pipe(at("\n"))
      const terminal = yield* gantry(["push", "reg.io/a:1", ...login]).pipe(at())
      for (const { calls, code } of [empty, terminal]) assert.deepStrictEqual([code, calls.length], [2, 0])
    })
  )

  it.scoped("speaks plain HTTP, or to any certificate, only where it was told to", () =>
    Effect.gen(function* () {
      const { calls } = yield* gantry([
        "push",
        "a:1",
        "--to",
        "reg.io/a",
        "--to",
        "other.io/a",
        "--to",
        "third.io/a",
        "--plain-http",
        "reg.io"
      ])
      const tls = Object.fromEntries(calls.map(({ target, tls }) => [target.registry, Option.getOrUndefined(tls)]))
      assert.deepStrictEqual(tls, { "reg.io": "off", "other.io": "skip-verify", "third.io": undefined })
    }).pipe(at(undefined, [["GANTRY_TLS_SKIP_VERIFY", "other.io"]]))
  )

  it.scoped("hints at the other form when an image such as registry:2 is not there", () =>
    Effect.gen(function* () {
      const missing = { push: () => Effect.fail(new ImageNotFound({ image: "x", where: "the engine" })) }
      const { code, stderr } = yield* gantry(
        ["push", "oci:layout", "registry:2", "docker:dind", "--to", "reg.io/a"],
        missing
      )
      assert.strictEqual(code, 1)
      for (const form of ["oci:./layout", "registry://", "docker://dind"]) assert.include(stderr, form)
    }).pipe(at())
  )

  it.scoped("does not hint when the image is just not there", () =>
    Effect.gen(function* () {
      const { stderr } = yield* gantry(["push", "app:1", "--to", "reg.io/a"], {
        push: () => Effect.fail(new ImageNotFound({ image: "app:1", where: "the engine" }))
      })
      assert.include(stderr, "Build or pull it first")
    }).pipe(at())
  )

  it.scoped("tries again as often as --retries says, and counts the attempts", () =>
    Effect.gen(function* () {
      const busy = new RegistryRateLimited({ registry: "reg.io", text: "later", retryAfter: Duration.seconds(1) })
      const fiber = yield* Effect.fork(
        gantry(["push", "reg.io/a:1", "--retries", "3", "--output", "json"], { push: () => Effect.fail(busy) })
      )
      const { calls, code, stderr, stdout } = yield* whileTimePasses(fiber)
      assert.deepStrictEqual([code, calls.length, JSON.parse(stdout).results[0].attempts], [5, 4, 4])
      assert.strictEqual(stderr.split("retrying in").length, 4)
    }).pipe(at())
  )

  it.scoped("starts nothing new after a failure with --fail-fast", () =>
    Effect.gen(function* () {
      const { calls, code, stdout } = yield* gantry(
        ["push", "reg.io/a:1", "reg.io/b:1", "reg.io/c:1", "--concurrency", "1", "--fail-fast", "--output", "json"],
        { push: () => Effect.fail(new RegistryUnauthorized({ registry: "reg.io", text: "no" })) }
      )
      assert.deepStrictEqual([code, calls.length], [3, 1])
      assert.deepInclude(JSON.parse(stdout), { failed: 1, cancelled: 2 })
    }).pipe(at())
  )

  it.scoped("reports every push as failed when there is nothing to push with", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      const invalid = new EngineContextInvalid({ origin: "DOCKER_HOST", value: "what", detail: "no scheme" })
      const { code, stderr } = yield* gantry(["push", "reg.io/a:1", "reg.io/b:1", "--report", file("r.json")], {
        engine: Layer.fail(invalid)
      })
      const report = JSON.parse(yield* read("r.json"))
      assert.strictEqual(code, 1)
      assert.deepInclude(report, { total: 2, failed: 2 })
      assert.strictEqual(report.results[1].error._tag, "EngineContextInvalid")
      assert.include(stderr, "DOCKER_HOST")
    }).pipe(at())
  )

  it.scoped("exits 70 on a defect, and the report is still written", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      const { code, stdout } = yield* gantry(["push", "reg.io/a:1", "reg.io/b:1", "--report", file("r.json")], {
        push: ({ target }) =>
          target.repository === "a"
            ? Effect.die(new TypeError("boom"))
            : Effect.succeed(TestTransport.result({ digest }))
      })
      const report = JSON.parse(yield* read("r.json"))
      assert.strictEqual(code, 70)
      assert.deepInclude(report, { pushed: 1, failed: 1 })
      assert.include(report.results[0].error.message, "boom")
      assert.strictEqual(stdout, `reg.io/b@${digest}\n`)
    }).pipe(at())
  )

  it.scoped("exits 70 with a stack when a layer dies, and the report is still written", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      const { code, stderr } = yield* gantry(["push", "reg.io/a:1", "--report", file("r.json")], {
        engine: Layer.die(new TypeError("boom"))
      })
      assert.strictEqual(code, 70)
      assert.include(stderr, "TypeError: boom")
      assert.deepInclude(JSON.parse(yield* read("r.json")), { total: 1, cancelled: 1 })
    }).pipe(at())
  )

  for (const [signal, expected] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.scoped(`stops what runs on ${signal}, reports it, and exits ${expected}`, () =>
      Effect.gen(function* () {
        const { file, read } = yield* folder
        const running = yield* Deferred.make<void>()
        const stopped = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          gantry(["push", "reg.io/a:1", "reg.io/b:1", "--concurrency", "1", "--report", file("r.json")], {
            push: () =>
              Deferred.succeed(running, undefined).pipe(
                Effect.zipRight(Effect.never),
                Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
              )
          })
        )
        yield* Deferred.await(running)
        yield* Effect.flatMap(TestConsole.TestConsole, (console) => console.signal(signal))
        const { calls, code, stderr } = yield* Fiber.join(fiber)
        const report = JSON.parse(yield* read("r.json"))
        assert.deepStrictEqual([code, calls.length, yield* Deferred.isDone(stopped)], [expected, 1, true])
        assert.deepInclude(report, { total: 2, cancelled: 2 })
        assert.strictEqual(report.results[0].attempts, 1)
        assert.include(stderr, "reg.io/a:1: cancelled (shutdown)")
      }).pipe(at())
    )
  }

  it.scoped("writes its report within 3 s of a signal though a push can not be stopped", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      const running = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        gantry(["push", "reg.io/a:1", "--report", file("r.json")], {
          push: () => Effect.uninterruptible(Effect.zipRight(Deferred.succeed(running, undefined), Effect.never))
        })
      )
      yield* Deferred.await(running)
      yield* Effect.flatMap(TestConsole.TestConsole, (console) => console.signal("SIGTERM"))
      yield* TestClock.adjust("3 seconds")
      const { code } = yield* Fiber.join(fiber)
      assert.strictEqual(code, 143)
      assert.deepInclude(JSON.parse(yield* read("r.json")), { total: 1, cancelled: 1 })
    }).pipe(at())
  )

  it.scoped("stops the whole run when --timeout is over", () =>
    Effect.gen(function* () {
      const running = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        gantry(["push", "reg.io/a:1", "--timeout", "2m", "--stall-timeout", "1h", "--output", "json"], {
          push: () => Effect.zipRight(Deferred.succeed(running, undefined), Effect.never)
        })
      )
      yield* Deferred.await(running)
      yield* TestClock.adjust("119 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 second")
      const { code, stdout } = yield* Fiber.join(fiber)
      assert.deepStrictEqual([code, JSON.parse(stdout).cancelled], [1, 1])
    }).pipe(at())
  )

  it.scoped("writes the report in the format that its name asks for, and nothing beside it", () =>
    Effect.gen(function* () {
      const { file, names, read } = yield* folder
      for (const name of ["r.json", "r.xml", "r.md"]) {
        yield* gantry(["push", "reg.io/a:1", "--report", file(name)])
      }
      assert.deepInclude(JSON.parse(yield* read("r.json")), { schemaVersion: 1, pushed: 1 })
      assert.match(yield* read("r.xml"), /^<\?xml/)
      assert.match(yield* read("r.md"), /^### gantry/)
      assert.deepStrictEqual((yield* names).sort(), ["r.json", "r.md", "r.xml"])
    }).pipe(at())
  )

  it.scoped("exits 1 when everything was pushed and the report could not be written", () =>
    Effect.gen(function* () {
      const { file } = yield* folder
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.makeDirectory(file("r.json"))
      const { code, stderr, stdout } = yield* gantry(["push", "reg.io/a:1", "--report", file("r.json")])
      assert.deepStrictEqual([code, stdout], [1, `reg.io/a@${digest}\n`])
      assert.include(stderr, "r.json could not be written")
    }).pipe(at())
  )

  it.scoped("writes every event to the file of --events, one JSON a line", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      yield* gantry(["push", "reg.io/a:1", "--events", file("events"), "--progress", "none"])
      const tags = (yield* read("events"))
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)._tag)
      assert.deepStrictEqual(tags, ["PushQueued", "PushStarted", "PushCompleted", "RuntimeDrained"])
    }).pipe(at())
  )

  it.scoped("begins the transcript of --record with who wrote it, and tells in plain words when it is not whole", () =>
    Effect.gen(function* () {
      const { file, read } = yield* folder
      const good = yield* gantry(["push", "reg.io/a:1", "--record", file("run.ndjson"), "--progress", "none"])
      assert.strictEqual(good.code, 0)
      assert.deepInclude(JSON.parse(yield* read("run.ndjson")), { schemaVersion: 1, program: "gantry 1.2.3" })
      const full = yield* gantry(["push", "reg.io/a:1", "--record", "/dev/full", "--progress", "none"])
      assert.strictEqual(full.code, 1)
      assert.match(
        full.stderr,
        /--record \/dev\/full ends before the run did, for it could not be written \(.+\)\. Make room/
      )
      const nowhere = yield* gantry(["push", "reg.io/a:1", "--record", file("no/run.ndjson")])
      assert.deepStrictEqual([nowhere.code, nowhere.calls.length], [2, 0])
    }).pipe(at())
  )

  it.scoped("only asks with --dry-run, and says what would be", () =>
    Effect.gen(function* () {
      const { calls, code, stdout } = yield* gantry(
        ["push", "a:1", "--dry-run", "--to", "reg.io/a", "--to", "reg.io/b", "--to", "reg.io/c", "--to", "reg.io/d"],
        {
          compare: ({ target }) => {
            switch (target.repository) {
              case "a":
                return Effect.succeed({ _tag: "Absent" })
              case "b":
                return Effect.succeed({ _tag: "Same", digest })
              case "c":
                return Effect.succeed({ _tag: "Different", digest })
              default:
                return Effect.fail(rejected("d"))
            }
          }
        }
      )
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(stdout.split("\n").slice(0, 4), [
        "would-push reg.io/a:1",
        "unchanged reg.io/b:1",
        "would-overwrite reg.io/c:1",
        "would-fail reg.io/d:1"
      ])
      assert.deepStrictEqual(new Set(calls.map(({ method }) => method)), new Set(["compare"]))
    }).pipe(at())
  )
})

describe("gantry", () => {
  it.scoped("shows its help, a command's help and its version on stdout", () =>
    Effect.gen(function* () {
      const help = yield* gantry(["--help"]).pipe(at())
      const pushHelp = yield* gantry(["push", "--help"]).pipe(at())
      const version = yield* gantry(["--version"]).pipe(at())
      assert.deepStrictEqual([help.code, pushHelp.code, version.code], [0, 0, 0])
      for (const name of ["push", "verify", "digest", "config check", "schema", "flavors"]) {
        assert.match(help.stdout, new RegExp(`^  ${name} +[A-Z]`, "m"))
      }
      assert.include(pushHelp.stdout, "--to TARGET")
      assert.strictEqual(version.stdout, "1.2.3\n")
      assert.isTrue(pushHelp.stdout.split("\n").every((line) => line.length <= 100))
    })
  )

  it.scoped("lists the flavors as text and as JSON", () =>
    Effect.gen(function* () {
      const text = yield* gantry(["flavors"]).pipe(at())
      const json = yield* gantry(["flavors", "--output", "json"]).pipe(at())
      assert.deepStrictEqual([text.code, text.stderr], [0, ""])
      assert.match(text.stdout, /^aws +Amazon ECR +aws or docker +\d{12}\.dkr\.ecr/m)
      assert.strictEqual(JSON.parse(json.stdout).length, 7)
    })
  )
})
