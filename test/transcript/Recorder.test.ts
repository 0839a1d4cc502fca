import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { layerFile, Recorder } from "../../src/transcript/Recorder.ts"
import { exchange, nothingOf, recorder } from "./support.ts"

const ignore = () => {}

const ask = (request: string, answer: Effect.Effect<string, string>, options?: Parameters<typeof exchange>[1]) =>
  Effect.flatMap(Recorder, (tape) => tape.exchange(exchange(request, options), () => answer, ignore))

const finish = Effect.flatMap(Recorder, (tape) => tape.finish)

const linesOf = (file: { readonly text: string }) =>
  file.text
    .split("\n")
    .slice(1, -1)
    .map((line) => JSON.parse(line))

describe("Recorder", () => {
  it.effect("writes down a request, what is said to it, and its answer, with their instants", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      const tape = yield* Recorder
      const heard: Array<string> = []
      yield* TestClock.adjust("2 seconds")
      const run = (hear: (piece: string) => void) =>
        Effect.sync(() => hear("one")).pipe(Effect.zipRight(Effect.delay(Effect.succeed("done"), "1 second")))
      const fiber = yield* Effect.fork(tape.exchange(exchange("ping"), run, (piece) => heard.push(piece)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      assert.deepStrictEqual(heard, ["one"])
      yield* tape.finish
      assert.deepStrictEqual(linesOf(file), [
        { _tag: "Asked", at: 2000, exchange: 0, party: "engine", request: "ping" },
        { _tag: "Said", at: 2000, exchange: 0, said: "one" },
        { _tag: "Answered", at: 3000, exchange: 0, answer: "done" }
      ])
    }).pipe(Effect.provide(layer))
  })

  it.effect("changes no end of what it records", () => {
    const { file, layer } = recorder()
    const bug = new Error("a bug")
    return Effect.gen(function* () {
      assert.deepStrictEqual(yield* Effect.exit(ask("fails", Effect.fail("no"))), Exit.fail("no"))
      assert.deepStrictEqual(yield* Effect.exit(ask("dies", Effect.die(bug))), Exit.die(bug))
      const waiting = yield* Effect.fork(ask("waits", Effect.never))
      yield* Effect.yieldNow()
      assert.isTrue(
        Exit.match(yield* Fiber.interrupt(waiting), { onFailure: Cause.isInterruptedOnly, onSuccess: () => false })
      )
      yield* finish
      const ends = linesOf(file).filter(({ _tag }) => _tag !== "Asked")
      assert.deepStrictEqual(
        ends.map(({ _tag }) => _tag),
        ["Failed", "Died", "Left"]
      )
      assert.match(ends[1].defect, /^Error: a bug/)
    }).pipe(Effect.provide(layer))
  })

  it.effect("tells a stream that ended from one that nobody read to its end", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      const tape = yield* Recorder
      const stream = tape.stream(nothingOf("push"), Stream.make("one", "two", "three").pipe(Stream.rechunk(1)))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(stream)), ["one", "two", "three"])
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(stream, 1))), ["one"])
      yield* tape.finish
      assert.deepStrictEqual(
        linesOf(file).map(({ _tag, exchange }) => `${exchange} ${_tag}`),
        ["0 Asked", "0 Said", "0 Said", "0 Said", "0 Answered", "1 Asked", "1 Said", "1 Left"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("has whole lines on disk while the run goes on", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      const tape = yield* Recorder
      const said = (hear: (piece: string) => void) =>
        Effect.zipRight(
          Effect.sync(() => hear("so far")),
          Effect.never
        )
      yield* Effect.fork(tape.exchange(exchange("push"), said, ignore))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        linesOf(file).map(({ _tag }) => _tag),
        ["Asked", "Said"]
      )
      assert.isTrue(file.text.endsWith("\n"))
    }).pipe(Effect.provide(layer))
  })

  it.effect("repeats no secret that any request carried or any answer gave, in no exchange", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      yield* ask("login", Effect.succeed("your token is issued-token"), {
        secrets: ["hunter2", "hunter2-and-more"],
        secretsOf: () => ["issued-token"]
      })
      yield* ask("push", Effect.succeed("denied to hunter2-and-more with issued-token"))
      yield* Effect.flip(ask("at https://dev:pw-of-dev@reg.io/v2/", Effect.fail("Bearer abcdefghijklmnopqrst")))
      yield* finish
      for (const secret of ["hunter2", "and-more", "issued-token", "pw-of-dev", "abcdefghijklmnopqrst"]) {
        assert.notInclude(file.text, secret)
      }
      assert.include(file.text, "denied to <redacted> with <redacted>")
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes a secret out of a defect before its words become one line", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      const secrets = ["two\nlines"]
      yield* Effect.exit(ask("push", Effect.die("two\nlines are no password"), { secrets }))
      yield* finish
      assert.strictEqual(linesOf(file)[1].defect, "<redacted> are no password")
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets the run go on when the disk is full, says why, and leaves no line after the one that is lost", () => {
    const { file, layer } = recorder(300)
    return Effect.gen(function* () {
      for (const index of [1, 2, 3, 4, 5]) {
        assert.strictEqual(yield* ask(`request ${index}`, Effect.succeed("answer")), "answer")
        yield* Effect.yieldNow()
      }
      const problem = yield* finish
      assert.strictEqual(Option.getOrThrow(problem).description, "no space left on device")
      assert.strictEqual(yield* ask("one more", Effect.succeed("answer")), "answer")
      assert.isAtMost(file.text.length, 300)
      assert.notInclude(file.text, "request 5")
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets the run go on when something can not be written down, says what, and writes nothing after it", () => {
    const { file, layer } = recorder()
    const broken = {
      ...exchange("").piece,
      encode: (): never => {
        throw new RangeError("hunter2 is too deep")
      }
    }
    return Effect.gen(function* () {
      const tape = yield* Recorder
      const said = (hear: (piece: string) => void) =>
        Effect.as(
          Effect.sync(() => hear("one")),
          "done"
        )
      const heard: Array<string> = []
      yield* ask("before", Effect.succeed("answer"))
      const pushed = yield* tape.exchange(exchange("push", { piece: broken }), said, (piece) => heard.push(piece))
      assert.deepStrictEqual([pushed, ...heard], ["done", "one"])
      assert.deepStrictEqual(
        yield* Effect.exit(ask("ping", Effect.fail("no"), { answer: broken, error: broken })),
        Exit.fail("no")
      )
      const stream = tape.stream({ ...nothingOf("stream"), piece: broken }, Stream.make("one"))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(stream)), ["one"])
      const problem = Option.getOrThrow(yield* finish)
      assert.strictEqual(problem.description, "what was answered to push can not be written down")
      assert.deepStrictEqual(
        linesOf(file).map(({ _tag }) => _tag),
        ["Asked", "Answered", "Asked"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives up when a request repeats a secret, for no replay could find it, and does not write it", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      yield* ask("login", Effect.succeed("ok"), { secrets: ["hunter2"] })
      assert.strictEqual(yield* ask("inspectImage hunter2", Effect.succeed("it")), "it")
      yield* ask("ping", Effect.succeed("ok"))
      const problem = Option.getOrThrow(yield* finish)
      assert.match(problem.description ?? "", /^a request repeats a secret/)
      assert.notInclude(file.text, "hunter2")
      assert.deepStrictEqual(
        linesOf(file).map(({ _tag }) => _tag),
        ["Asked", "Answered"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves gantry's own words alone where a password is one of them", () => {
    const { file, layer } = recorder()
    return Effect.gen(function* () {
      yield* ask("login", Effect.succeed("an engine that Answered"), { secrets: ["engine", "Answered", "Asked"] })
      yield* finish
      assert.deepStrictEqual(
        linesOf(file).map(({ _tag, party, answer }) => party ?? [_tag, answer]),
        ["engine", ["Answered", "an <redacted> that <redacted>"]]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("remembers a secret that is used, however many come after it", () => {
    const { file, layer } = recorder()
    const tokens = (count: number) => Array.from({ length: 1000 }, (_, index) => `token-${count}-${index}`)
    return Effect.gen(function* () {
      const tape = yield* Recorder
      const secrets = ["hunter2"]
      for (const count of [1, 2]) {
        yield* ask("token", Effect.succeed("ok"), { secrets, secretsOf: () => tokens(count) })
      }
      yield* ask("echo", Effect.succeed("after a while: hunter2"))
      // A push that takes long sends its password only at its beginning.
      const others = exchange("token", { secretsOf: () => [...tokens(4), ...tokens(5)] })
      const push = (hear: (piece: string) => void) =>
        tape
          .exchange(others, () => Effect.succeed("ok"), ignore)
          .pipe(Effect.zipRight(Effect.sync(() => hear("said: hunter2"))), Effect.as("at its end: hunter2"))
      yield* tape.exchange(exchange("push", { secrets }), push, ignore)
      yield* tape.finish
      assert.notInclude(file.text, "hunter2")
    }).pipe(Effect.provide(layer))
  })

  it.effect("says so when what writes the file breaks", () => {
    const { layer } = recorder(0, Effect.unsafeMakeLatch(true), Effect.dieMessage("a bug of the disk"))
    return Effect.gen(function* () {
      const problem = Option.getOrThrow(yield* finish)
      assert.match(problem.description ?? "", /a bug of the disk/)
    }).pipe(Effect.provide(layer))
  })

  it.effect("makes a file that only its owner reads", () => {
    const modes: Array<number | undefined> = []
    const fileSystem = FileSystem.layerNoop({
      open: (_, options) =>
        Effect.sync(() => modes.push(options?.mode)).pipe(Effect.zipRight(Effect.dieMessage("enough")))
    })
    return Effect.gen(function* () {
      yield* Effect.exit(Effect.scoped(Layer.build(layerFile({ file: "run.ndjson" }))))
      assert.deepStrictEqual(modes, [0o600])
    }).pipe(Effect.provide(fileSystem))
  })

  it.effect("keeps no more waiting than 64 MiB when the disk is slower than the run, and says so", () => {
    const gate = Effect.unsafeMakeLatch(false)
    const { file, layer } = recorder(Number.POSITIVE_INFINITY, gate)
    const mebibyte = "x".repeat(1024 * 1024)
    return Effect.gen(function* () {
      for (let index = 0; index < 70; index++) yield* ask("GET", Effect.succeed(mebibyte))
      yield* gate.open
      const problem = yield* finish
      assert.strictEqual(Option.getOrThrow(problem).description, "the disk is slower than the run")
      assert.isAtMost(file.text.length, 64 * 1024 * 1024)
    }).pipe(Effect.provide(layer))
  })
})
