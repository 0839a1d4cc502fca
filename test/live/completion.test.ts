import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "./support/command.ts"
import { describeLive, LiveStack } from "./support/stack.ts"
import * as Tmux from "./support/tmux.ts"

const size = { columns: 100, rows: 40 }

describeLive("completion at a terminal", (it) => {
  for (const [shell, start, load] of [
    ["bash", "true", "source <(gantry --completions bash)"],
    ["zsh", "exec zsh -f", "PS1='$ '; autoload -Uz compinit; compinit -u -D; source <(gantry --completions zsh)"]
  ] as const) {
    it.scoped(`completes a command, an option and its value when Tab is pressed in ${shell}`, () =>
      Effect.gen(function* () {
        const { engine } = yield* LiveStack
        const terminal = yield* Tmux.open(size, engine)
        yield* terminal.write("gantry", [])
        yield* terminal.enter(start)
        yield* terminal.enter(`${load}; clear; echo loaded`)
        yield* terminal.until("the completion", (lines) => lines.includes("loaded") && lines.at(-1)?.trim() === "$")
        // What is unique is completed; several ones are listed.
        yield* terminal.press("gantry pus", "Tab")
        yield* terminal.until("push", (lines) => lines.at(-1) === "$ gantry push")
        yield* terminal.press("app:1 --prog", "Tab")
        yield* terminal.until("--progress", (lines) => /^\$ gantry push app:1 --progress=?$/.test(lines.at(-1) ?? ""))
        yield* terminal.press("pl", "Tab")
        yield* terminal.until("plain", (lines) => /--progress[= ]plain$/.test(lines.at(-1) ?? ""))
        yield* terminal.press("C-u", "gantry schema ", "Tab", "Tab")
        yield* terminal.until("the schemas", (lines) => lines.some((line) => /config\s+event\s+report/.test(line)))
      })
    )
  }

  it.scoped("completes commands, options, values and files in fish", () =>
    Effect.gen(function* () {
      const { stdout: completion } = yield* run(["--completions", "fish"])
      const offered = (line: string) =>
        Effect.promise(async () => {
          const { stdout } = await promisify(execFile)("fish", [
            "--no-config",
            "-c",
            "eval $argv[1]; complete -C $argv[2]",
            completion,
            line
          ])
          return stdout.split("\n").flatMap((line) => line.split("\t")[0] || [])
        })
      assert.includeMembers(yield* offered("gantry "), ["push", "verify", "config"])
      assert.deepStrictEqual(yield* offered("gantry config "), ["check"])
      assert.deepStrictEqual(yield* offered("gantry schema config "), ["config", "event", "report"])
      assert.deepStrictEqual(yield* offered("gantry push app:1 --prog"), ["--progress"])
      assert.deepStrictEqual(yield* offered("gantry push --progress "), ["auto", "bars", "json", "none", "plain"])
      assert.deepStrictEqual(yield* offered("gantry push --report READ"), ["README.md"])
      assert.deepStrictEqual(yield* offered("gantry --completions "), ["bash", "fish", "zsh"])
    })
  )
})
