import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import stringWidth from "string-width"
import * as Board from "../../../src/cli/progress/internal/board.ts"
import { frame } from "../../../src/cli/progress/internal/layout.ts"
import { coloured, colourless } from "../../../src/cli/progress/internal/paint.ts"
import * as Progress from "../../../src/cli/progress/Progress.ts"
import * as Report from "../../../src/cli/Report.ts"
import { Stdio } from "../../../src/cli/Stdio.ts"
import type { PushEvent } from "../../../src/push/PushEvent.ts"
import * as Samples from "../support/samples.ts"
import { stdioAt, TestTerminal } from "../support/terminal.ts"

const of = (pushId: string, millis: number) => ({ pushId: Samples.id(pushId), at: Samples.at(millis) })

const progress = (pushId: string, millis: number, layer: string, current: number, total?: number): PushEvent => ({
  _tag: "LayerProgress",
  ...of(pushId, millis),
  layer,
  current,
  total
})

const layerDone = (
  pushId: string,
  millis: number,
  layer: string,
  outcome: "uploaded" | "existing" = "uploaded"
): PushEvent => ({ _tag: "LayerPushed", ...of(pushId, millis), layer, outcome })

const completed = (pushId: string, millis: number, target: string): PushEvent => ({
  _tag: "PushCompleted",
  ...of(pushId, millis),
  image: Samples.image(target)
})

const failed = (pushId: string, millis: number, message: string): PushEvent => ({
  _tag: "PushFailed",
  ...of(pushId, millis),
  attempts: 1,
  duration: Duration.seconds(9),
  error: { ...Samples.unauthorized, message }
})

const begun = (pushId: string, target: string): ReadonlyArray<PushEvent> => [
  Samples.queued(pushId, target),
  Samples.started(pushId)
]

const report = Report.make({ mode: "push", startedAt: Samples.at(0), endedAt: Samples.at(0), results: [] })

const show = (shown: Progress.Progress, events: ReadonlyArray<PushEvent>) =>
  Effect.forEach(events, (event) => shown.show([event]), { discard: true })

/** To the instant of the events that is so many milliseconds after the first. */
const clockTo = (millis: number) => TestClock.setTime(DateTime.toEpochMillis(Samples.at(millis)))

/** Bars at a terminal, at the instant of the first event. */
const begin = (
  terminal: TestTerminal,
  options: { readonly variables?: Record<string, string>; readonly taking?: Effect.Effect<void> } = {}
) =>
  Effect.zipRight(clockTo(0), Progress.make("bars")).pipe(
    Effect.provide(stdioAt(terminal, true, options.taking)),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(options.variables ?? { NO_COLOR: "1" }))))
  )

const a = "reg.example.com/app:1"
const b = "localhost:5000/worker:1.2"

/** Names with characters of no, one and two columns, and of several code points. */
const names = FastCheck.string({
  unit: FastCheck.oneof(
    FastCheck.constantFrom("a", "/", ":", "-", "字", "한", "é", "e\u0301", "👩‍👩‍👧", "🇩🇪", "ｶﾞ", "\u200d", "…"),
    FastCheck.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
  ),
  maxLength: 80
})

const states = {
  queued: [],
  starting: [Samples.started("p")],
  moving: [
    Samples.started("p"),
    progress("p", 0, "l1", 1, 1e9),
    progress("p", 1000, "l1", 200, 1e9),
    progress("p", 2000, "l1", 3e8, 1e9)
  ],
  slow: [Samples.started("p"), progress("p", 0, "l1", 1, 1e9), progress("p", 2000, "l1", 9000, 1e9)],
  finishing: [Samples.started("p"), layerDone("p", 0, "l1")]
} satisfies Record<string, ReadonlyArray<PushEvent>>

const waiting = (message: string): ReadonlyArray<PushEvent> => [
  Samples.started("p"),
  {
    _tag: "PushRetrying",
    ...of("p", 0),
    attempt: 2,
    delay: Duration.seconds(9),
    error: { ...Samples.unauthorized, message }
  },
  { _tag: "RegistryPaused", at: Samples.at(0), registry: message, delay: Duration.seconds(9), source: "estimate" }
]

/** No reference, but whatever a program may give for one. */
const queuedAs = (pushId: string, target: string): PushEvent => ({
  _tag: "PushQueued",
  ...of(pushId, 0),
  source: "docker://app:1",
  target,
  registry: "reg.example.com"
})

/** Pushes of any names, each in some state. */
const anyEvents = FastCheck.array(
  FastCheck.tuple(names, FastCheck.oneof(FastCheck.constantFrom(...Object.values(states)), names.map(waiting))),
  { maxLength: 30 }
).map((pushes) =>
  pushes.flatMap(([target, events], index): ReadonlyArray<PushEvent> => {
    const pushId = Samples.id(`p${index}`)
    return [
      queuedAs(pushId, target),
      ...events.map((event): PushEvent => ("pushId" in event ? { ...event, pushId } : event))
    ]
  })
)

const boardAfter = (events: ReadonlyArray<PushEvent>) => events.reduce(Board.step, Board.empty)

const linesOf = (events: ReadonlyArray<PushEvent>, millis: number, columns = 80, rows = 24) =>
  frame(boardAfter(events), {
    columns,
    rows,
    now: DateTime.toEpochMillis(Samples.at(millis)),
    paint: colourless
  })

describe("bars", () => {
  it.scoped("has an aligned line for each push: its layers, rate and remaining time, and one that counts", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(80, 24)
      const shown = yield* begin(terminal)
      yield* show(shown, [
        ...begun("p1", a),
        ...begun("p2", b),
        ...begun("p3", "c:1"),
        progress("p1", 0, "l1", 0),
        progress("p1", 0, "l2", 0),
        layerDone("p1", 0, "l2", "existing"),
        layerDone("p3", 0, "l1"),
        progress("p1", 1000, "l1", 10_000_000, 100_000_000),
        progress("p1", 3000, "l1", 50_000_000, 100_000_000),
        Samples.queued("p4", "d:1")
      ])
      yield* clockTo(3100)
      assert.deepStrictEqual(terminal.screen, [
        "reg.example.com/app:1      ━━━━━╸─────   50 %  1/2 layers  20.0 MB/s   0:03 left",
        "localhost:5000/worker:1.2  starting",
        "c:1                        ━━━━━━━━━━━  100 %  1/1 layers  finishing",
        "+1 queued, 0 done · 0:03",
        ""
      ])
    })
  )

  it.scoped("lets what has ended scroll up, in the words of plain progress, and leaves nothing else", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(120, 24)
      terminal.write("$ gantry push\n")
      const shown = yield* begin(terminal)
      yield* show(shown, [...begun("p1", a), ...begun("p2", b), ...begun("p3", "c.io/c:1"), completed("p1", 1, a)])
      yield* clockTo(100)
      const pushed = `✓ ${a}: pushed ${Samples.digest} in 3.1 s`
      assert.deepStrictEqual(terminal.screen.slice(0, 3), [
        "$ gantry push",
        pushed,
        "localhost:5000/worker:1.2  starting"
      ])
      yield* show(shown, [
        failed("p2", 2, "no."),
        { _tag: "PushCancelled", ...of("p3", 3), attempts: 1, duration: Duration.zero, reason: "requested" }
      ])
      yield* shown.end({ ...Samples.report, total: 4 })
      assert.deepStrictEqual(terminal.screen, [
        "$ gantry push",
        pushed,
        `✗ ${b}: failed: no.`,
        "– c.io/c:1: cancelled (requested)",
        "4 pushes: 1 pushed, 1 unchanged, 1 failed, 1 cancelled in 1 min 5 s",
        ""
      ])
      assert.deepStrictEqual(terminal.cursor, [5, 0])
    })
  )

  it.scoped("shows 200 pushes on 24 lines, and each one that has ended once", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(80, 24)
      const shown = yield* begin(terminal)
      const ids = Array.from({ length: 200 }, (_, index) => `p${index}`)
      const target = (id: string) => `reg.example.com/${id}:1`
      yield* show(
        shown,
        ids.map((id) => Samples.queued(id, target(id)))
      )
      yield* show(
        shown,
        ids.slice(0, 40).map((id) => Samples.started(id))
      )
      yield* clockTo(100)
      assert.strictEqual(terminal.all.length, 24)
      assert.deepStrictEqual(terminal.screen.slice(-3), [
        "reg.example.com/p21:1  starting",
        "+18 running, +160 queued, 0 done · 0:00",
        ""
      ])
      for (const [index, id] of ids.entries()) {
        yield* show(shown, index < 40 ? [] : [Samples.started(id)])
        yield* show(shown, [completed(id, index, target(id))])
        if (index % 30 === 0) yield* clockTo(200 + 100 * index)
      }
      yield* shown.end(report)
      assert.deepStrictEqual(
        terminal.all.map((line) => line.split(" ")[1] ?? "").filter((name) => name !== ""),
        ids.map((id) => `${target(id)}:`)
      )
    })
  )

  it.scoped("draws at most ten times a second however many events there are, and not at all when nothing changes", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(80, 24)
      const shown = yield* begin(terminal)
      yield* show(shown, begun("p1", a))
      for (let millis = 0; millis < 1000; millis += 20) {
        yield* show(shown, [progress("p1", millis, "l1", millis, 1000)])
        yield* clockTo(millis)
      }
      assert.isAtMost(terminal.writes.length, 10)
      assert.isAtLeast(terminal.writes.length, 8)
      yield* clockTo(7000)
      const { length } = terminal.writes
      yield* clockTo(20_000)
      assert.strictEqual(terminal.writes.length, length)
    })
  )

  it.scoped("does not make a push wait for a terminal that takes nothing", () =>
    Effect.gen(function* () {
      const isTaken = yield* Deferred.make<void>()
      const terminal = new TestTerminal(80, 24)
      const shown = yield* begin(terminal, { taking: Deferred.await(isTaken) })
      yield* show(shown, begun("p1", a))
      yield* clockTo(100)
      assert.strictEqual(terminal.writes.length, 1)
      yield* show(shown, [progress("p1", 200, "l1", 1, 2), completed("p1", 300, a)])
      yield* clockTo(1000)
      assert.strictEqual(terminal.writes.length, 1)
      yield* Deferred.succeed(isTaken, undefined)
      yield* clockTo(2000)
      assert.include(terminal.screen[0] ?? "", `✓ ${a}: pushed sha256:`)
    })
  )

  it("never shows more than 100 percent, and 100 only when all layers are there", () => {
    const events = [...begun("p1", a), progress("p1", 0, "l1", 200, 100), progress("p1", 0, "l2", 300, 100)]
    assert.include(linesOf(events, 0)[0] ?? "", " 99 %  0/2 layers")
    const done = [...events, layerDone("p1", 1, "l1"), layerDone("p1", 1, "l2")]
    assert.include(linesOf(done, 1)[0] ?? "", "100 %  2/2 layers  finishing")
  })

  it("never goes back while an attempt lasts, for any counters", () => {
    const counters = FastCheck.array(
      FastCheck.record({
        layer: FastCheck.constantFrom("l1", "l2", "l3"),
        current: FastCheck.integer({ min: -5, max: 300 }),
        total: FastCheck.option(FastCheck.integer({ min: -1, max: 100 }), { nil: undefined })
      })
    )
    FastCheck.assert(
      FastCheck.property(counters, (lines) => {
        const percents = lines.map((_, index) => {
          const events = lines
            .slice(0, index + 1)
            .map(({ current, layer, total }) => progress("p1", 0, layer, current, total))
          return Number(/(\d+) %/.exec(linesOf([...begun("p1", a), ...events], 0)[0] ?? "")?.[1])
        })
        percents.forEach((percent, index) => {
          assert.isAtMost(percent, 99)
          assert.isAtLeast(percent, percents[index - 1] ?? 0)
        })
      })
    )
  })

  it("says when a push is tried again and why, and when a registry asked for a pause", () => {
    const events: ReadonlyArray<PushEvent> = [
      ...begun("p1", a),
      {
        _tag: "PushRetrying",
        ...of("p1", 0),
        attempt: 2,
        delay: Duration.seconds(12),
        error: { ...Samples.unauthorized, message: "it was busy." }
      },
      {
        _tag: "RegistryPaused",
        at: Samples.at(0),
        registry: "reg.example.com",
        delay: Duration.seconds(30),
        source: "retry-after"
      }
    ]
    assert.deepStrictEqual(linesOf(events, 2500), [
      "reg.example.com/app:1  retrying in 10 s because it was busy.",
      "reg.example.com asked for a pause, going on in 28 s"
    ])
    assert.deepStrictEqual(linesOf([...events, progress("p1", 12_000, "l1", 0)], 40_000), [
      "reg.example.com/app:1  ───────────────    0 %  0/1 layers"
    ])
  })

  it("is as wide as it needs to be in a wide terminal, and leaves out what does not fit in a narrow one", () => {
    const events = [...begun("p1", a), progress("p1", 0, "l1", 10, 100), progress("p1", 1000, "l1", 25, 100)]
    assert.deepStrictEqual(
      [200, 60, 50, 34, 20, 8].map((columns) => linesOf(events, 1000, columns)[0]),
      [
        `reg.example.com/app:1  ${"━".repeat(10)}${"─".repeat(30)}   25 %  0/1 layers     15 B/s   0:05 left`,
        "reg.example.com/app:1  ━━━━╸─────────────   25 %  0/1 layers",
        "reg.example.com/app:1  ━━━━━───────────────   25 %",
        "reg.example.com/app:1   25 %",
        "reg.…om/app:1   25 %",
        "re…app:1"
      ]
    )
  })

  it("never draws a line wider than the terminal, nor more lines than it has, for any names and sizes", () => {
    FastCheck.assert(
      FastCheck.property(
        anyEvents,
        FastCheck.integer({ min: 1, max: 200 }),
        FastCheck.integer({ min: 1, max: 50 }),
        (events, columns, rows) => {
          const lines = linesOf(events, 3000, columns, rows)
          for (const line of lines) assert.isAtMost(stringWidth(line), columns, JSON.stringify(line))
          assert.isAtMost(lines.length, Math.max(1, rows - 1))
        }
      )
    )
  })

  it("lets no text of a registry move the cursor or colour the terminal", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => {
        const name = `\u001b[2J\r\n\u009b31m${text}`
        const events = [queuedAs("p1", name), Samples.started("p1")]
        assert.notMatch(linesOf(events, 0).join(""), /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      })
    )
  })

  it.scoped("leaves no trace of a frame that a narrower terminal has broken", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(100, 24)
      terminal.write("$ gantry push\n")
      const shown = yield* begin(terminal)
      yield* show(shown, [
        ...begun("p1", a),
        ...begun("p2", b),
        progress("p1", 0, "l1", 10, 100),
        progress("p2", 0, "l1", 10, 100)
      ])
      yield* clockTo(100)
      assert.strictEqual(terminal.screen.length, 5)
      terminal.resize(40, 24)
      assert.strictEqual(terminal.screen.length, 7)
      yield* clockTo(200)
      assert.deepStrictEqual(terminal.screen, [
        "$ gantry push",
        "reg.example.com/app:1  ━─────────   10 %",
        "localh…000/worker:1.2  ━─────────   10 %",
        "0 done · 0:00",
        ""
      ])
      terminal.resize(100, 24)
      yield* clockTo(300)
      assert.strictEqual(terminal.screen.length, 5)
    })
  )

  it.scoped("leaves the terminal as it was after every single write, and clean when a run dies", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(80, 24)
      const seen: Array<readonly [boolean, number]> = []
      const looking = Effect.sync(() => seen.push([terminal.isCursorVisible, terminal.cursor[1]]))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const shown = yield* begin(terminal, { taking: looking })
          yield* show(shown, [...begun("p1", a), ...begun("p2", b)])
          yield* clockTo(100)
          yield* show(shown, [completed("p2", 100, b)])
          return yield* Effect.die("a fault")
        })
      ).pipe(Effect.exit)
      assert.isAtLeast(seen.length, 2)
      assert.deepStrictEqual(
        seen,
        seen.map(() => [true, 0] as const)
      )
      assert.strictEqual(terminal.screen.length, 2)
      assert.include(terminal.screen[0] ?? "", `✓ ${b}: pushed`)
      // A long line still goes on in the next row.
      terminal.write("x".repeat(81))
      assert.strictEqual(terminal.screen.at(-1), "x")
    })
  )

  it.scoped("keeps what others write to stderr above the bars", () =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(40, 24)
      const warning = "gantry: warn: the time that --timeout allows is over"
      yield* clockTo(0)
      yield* Effect.gen(function* () {
        const shown = yield* Progress.make("bars")
        yield* show(shown, begun("p1", a))
        yield* clockTo(100)
        const { stderr } = yield* Stdio
        yield* stderr(`${warning}\n`)
        assert.deepStrictEqual(terminal.screen, [
          warning.slice(0, 40).trimEnd(),
          warning.slice(40),
          "reg.example.com/app:1  starting",
          ""
        ])
      }).pipe(Effect.provide(stdioAt(terminal)))
    })
  )

  it.scoped("has colours, and none with NO_COLOR", () =>
    Effect.gen(function* () {
      for (const [variables, isColoured] of [
        [{}, true],
        [{ NO_COLOR: "" }, true],
        [{ NO_COLOR: "1" }, false]
      ] as const) {
        const terminal = new TestTerminal(80, 24)
        const shown = yield* begin(terminal, { variables })
        yield* show(shown, [...begun("p1", a), ...begun("p2", b), completed("p2", 0, b), progress("p1", 0, "l", 1, 2)])
        yield* clockTo(100)
        assert.strictEqual(terminal.styles > 0, isColoured, JSON.stringify(variables))
      }
    })
  )

  it("is as wide with colours as without", () => {
    FastCheck.assert(
      FastCheck.property(anyEvents, FastCheck.integer({ min: 1, max: 120 }), (events, columns) => {
        const canvas = { columns, rows: 24, now: DateTime.toEpochMillis(Samples.at(3000)) }
        const board = boardAfter(events)
        assert.deepStrictEqual(
          frame(board, { ...canvas, paint: coloured }).map((line) => stringWidth(line)),
          frame(board, { ...canvas, paint: colourless }).map((line) => stringWidth(line))
        )
      })
    )
  })
})

describe("the choice of progress", () => {
  const choose = (
    mode: "auto" | "bars" | "plain" | "none",
    isTerminal: boolean,
    variables: Readonly<Record<string, string>>
  ) =>
    Effect.gen(function* () {
      const terminal = new TestTerminal(80, 24)
      yield* clockTo(0)
      const shown = yield* Progress.make(mode).pipe(
        Effect.provide(stdioAt(terminal, isTerminal)),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
      )
      yield* show(shown, begun("p1", a))
      const isPlain = terminal.screen[0] === `${a}: started`
      yield* clockTo(100)
      return isPlain ? "plain" : terminal.screen[0] === `${a}  starting` ? "bars" : "none"
    })

  it.scoped("is bars at a terminal, unless CI or TERM=dumb says otherwise or it is said which", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* choose("auto", true, { TERM: "xterm-256color" }), "bars")
      assert.strictEqual(yield* choose("auto", true, { CI: "false" }), "bars")
      assert.strictEqual(yield* choose("auto", true, { CI: "true" }), "plain")
      assert.strictEqual(yield* choose("auto", true, { TERM: "dumb" }), "plain")
      assert.strictEqual(yield* choose("auto", false, {}), "plain")
      assert.strictEqual(yield* choose("bars", true, { CI: "true" }), "bars")
      assert.strictEqual(yield* choose("bars", false, {}), "plain")
      assert.strictEqual(yield* choose("plain", true, {}), "plain")
      assert.strictEqual(yield* choose("none", true, {}), "none")
    })
  )
})
