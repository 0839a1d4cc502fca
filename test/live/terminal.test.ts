import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import { describeLive, LiveStack, loadedImage, uniqueRepository } from "./support/stack.ts"
import * as Tmux from "./support/tmux.ts"

const golden = (name: string): ReadonlyArray<string> =>
  readFileSync(new URL(`./golden/${name}.txt`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n")

/** What differs from run to run, by other text of the same length where it is part of a column. */
const masked = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) =>
    line
      .replace(/127\.0\.0\.1:\d{5}/g, "127.0.0.1:PORT0")
      .replace(/-[0-9a-f]{8}\//g, "-UNIQUE00/")
      .replace(/sha256:[0-9a-f]{12}…/g, "sha256:DIGEST000000…")
      .replace(/sha256:[0-9a-f]{64}/g, "sha256:DIGEST")
      .replace(/in (\d+ ms|[\d.]+ s|\d+ min \d+ s)/g, "in TIME")
      .replace(/\d+:\d\d$/, "0:00")
  )

const isFinishing = (line: string): boolean => line.endsWith("finishing")

/** Pushes of one image to so many repositories, whose last request the registry does not answer before `release`. */
const held = (count: number, size: Tmux.Size, held: RegExp = /\/manifests\//) =>
  Effect.gen(function* () {
    const { engine, registries } = yield* LiveStack
    const gate = yield* Deferred.make<void>()
    const clock = yield* Effect.clock
    const proxy = yield* FaultProxy.make({ target: registries.open.host }).pipe(
      Effect.withClock({ ...clock, sleep: () => Deferred.await(gate) })
    )
    yield* proxy.add({ method: "PUT", path: held, delay: "1 second" })
    const source = `${uniqueRepository("source")}:dev`
    yield* loadedImage(engine, {
      tags: [source],
      layers: [
        { seed: source, size: 20_000 },
        { seed: "terminal", size: 30_000 }
      ]
    })
    const repository = `${proxy.host}/${uniqueRepository("t")}`
    const targets = Array.from({ length: count }, (_, index) => `${repository}/p${String(index).padStart(3, "0")}:v1`)
    const terminal = yield* Tmux.open(size, engine)
    yield* terminal.write("push", [
      "push",
      source,
      ...targets.flatMap((target) => ["--to", target]),
      "--concurrency",
      "40",
      "--max-in-flight",
      "40"
    ])
    return { terminal, proxy, targets, release: Deferred.succeed(gate, undefined) }
  })

const isBack = (lines: ReadonlyArray<string>): boolean => lines.at(-1) === "$" && /^exit \d+$/.test(lines.at(-2) ?? "")

const sizes: ReadonlyArray<Tmux.Size> = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 50 }
]

describeLive("gantry at a terminal", (it) => {
  for (const size of sizes) {
    const name = `${size.columns}x${size.rows}`

    it.scoped(`shows 3 pushes at ${name}, and leaves their ends and the results`, () =>
      Effect.gen(function* () {
        const { release, terminal } = yield* held(3, size)
        yield* terminal.enter("clear; push; echo exit $?")
        const running = yield* terminal.until(
          "three finishing pushes",
          (lines) => lines.filter(isFinishing).length === 3
        )
        assert.deepStrictEqual(masked(running), golden(`3-pushes-${name}`))
        yield* release
        yield* terminal.until("the end", isBack)
        assert.deepStrictEqual(masked(yield* terminal.history).toSorted(), golden(`3-pushed-${name}`).toSorted())
        assert.isTrue(yield* terminal.isCursorVisible)
      })
    )

    it.scoped(`shows 200 pushes at ${name}, and leaves the end of each once`, () =>
      Effect.gen(function* () {
        const { release, targets, terminal } = yield* held(200, size)
        yield* terminal.enter("clear; push; echo exit $?")
        const shown = Math.min(40, size.rows - 2)
        const running = yield* terminal.until(
          "as many finishing pushes as there is room for",
          (lines) => lines.filter(isFinishing).length === shown
        )
        assert.deepStrictEqual(masked(running), golden(`200-pushes-${name}`))
        yield* release
        yield* terminal.until("the end", isBack)
        const history = yield* terminal.history
        assert.deepStrictEqual(
          history.flatMap((line) => /^✓ (\S+): pushed sha256:/.exec(line)?.[1] ?? []).toSorted(),
          targets
        )
        assert.notInclude(history.join("\n"), "━")
        assert.include(history, "exit 0")
        assert.strictEqual(history.filter((line) => line.startsWith("200 pushes: 200 pushed in ")).length, 1)
      })
    )
  }

  for (const [signal, code] of [
    ["C-c", 130],
    ["SIGTERM", 143],
    ["SIGKILL", 137]
  ] as const) {
    it.scoped(`leaves cursor, echo and scrollback as they were after ${signal}`, () =>
      Effect.gen(function* () {
        // One is let through, two are held.
        const { targets, terminal } = yield* held(3, { columns: 100, rows: 24 }, /p00[12]\/manifests\//)
        const settings = yield* terminal.settings
        yield* terminal.enter("clear; seq 1 40; push; echo exit $?")
        yield* terminal.until(
          "one pushed and two finishing",
          (lines) => lines.some((line) => line.startsWith("✓")) && lines.filter(isFinishing).length === 2
        )
        if (signal === "C-c") yield* terminal.press("C-c")
        else process.kill(yield* terminal.pid, signal)
        yield* terminal.until("the end", (lines) => lines.includes(`exit ${code}`))
        assert.isTrue(yield* terminal.isCursorVisible)
        const history = yield* terminal.history
        const numbers = Array.from({ length: 40 }, (_, index) => `${index + 1}`)
        const first = history.indexOf("1")
        assert.deepStrictEqual(history.slice(first, first + 40), numbers)
        assert.match(history[first + 40] ?? "", new RegExp(`^✓ ${targets[0]}: pushed sha256:`))
        if (signal !== "SIGKILL") {
          assert.notInclude(history.join("\n"), "━")
          assert.deepStrictEqual(
            history.slice(first + 41, first + 43).toSorted(),
            targets.slice(1).map((target) => `– ${target}: cancelled (shutdown)`)
          )
        }
        assert.strictEqual(yield* terminal.settings, settings)
      })
    )
  }

  // What tmux has put into its scrollback for want of room is beyond the reach of any program.
  it.scoped("draws anew in another size and leaves nothing of the old one on the screen", () =>
    Effect.gen(function* () {
      const { release, terminal } = yield* held(3, { columns: 120, rows: 30 })
      yield* terminal.enter("clear; echo before; push; echo exit $?")
      yield* terminal.until("three finishing pushes", (lines) => lines.filter(isFinishing).length === 3)
      yield* terminal.resize({ columns: 50, rows: 30 })
      const isNarrow = (lines: ReadonlyArray<string>) => lines.filter((line) => line.endsWith("100 %")).length === 3
      const narrow = yield* terminal.until("three narrow lines", isNarrow)
      assert.deepStrictEqual(masked(narrow), golden("resized-50x30"))
      yield* terminal.resize({ columns: 120, rows: 30 })
      const wide = yield* terminal.until("three wide lines", (lines) => lines.filter(isFinishing).length === 3)
      assert.strictEqual(wide.filter((line) => line.includes("━")).length, 3)
      yield* release
      assert.notInclude((yield* terminal.until("the end", isBack)).join("\n"), "━")
    })
  )

  it.scoped("goes on pushing while the terminal is stopped, and shows the ends when it goes on", () =>
    Effect.gen(function* () {
      const { proxy, release, targets, terminal } = yield* held(60, { columns: 80, rows: 24 })
      yield* terminal.enter("clear; push; echo exit $?")
      yield* terminal.until("finishing pushes", (lines) => lines.filter(isFinishing).length === 22)
      yield* terminal.press("C-s")
      const stopped = yield* terminal.screen
      yield* release
      yield* proxy.waitFor({
        method: "PUT",
        path: /\/manifests\//,
        nth: 60,
        when: ({ outcome }) => outcome === "answered"
      })
      assert.deepStrictEqual(yield* terminal.screen, stopped)
      yield* terminal.press("C-q")
      yield* terminal.until("the end", isBack)
      const ends = (yield* terminal.history).filter((line) => line.startsWith("✓ "))
      assert.strictEqual(ends.length, targets.length)
    })
  )
})
