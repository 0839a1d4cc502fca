/**
 * gantry at a terminal, as a person has it: a shell in tmux, keys that are typed, and what is on the screen.
 */
import { execFile } from "node:child_process"
import { randomUUID } from "node:crypto"
import { chmod, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Engine } from "../../../scripts/lib/stack/Engine.ts"
import { bin, temporaryFolder } from "./command.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Terminal {
  /** Types a command and Enter. */
  readonly enter: (command: string) => Effect.Effect<void>
  /** Presses keys by tmux's names: `C-c`. */
  readonly press: (...keys: ReadonlyArray<string>) => Effect.Effect<void>
  readonly resize: (size: Size) => Effect.Effect<void>
  /** What is on the screen now. */
  readonly screen: Effect.Effect<ReadonlyArray<string>>
  /** What is on the screen and what scrolled off it, each line whole however many rows it takes. */
  readonly history: Effect.Effect<ReadonlyArray<string>>
  readonly isCursorVisible: Effect.Effect<boolean>
  /** What `stty -a` says of the terminal, written by the shell. */
  readonly settings: Effect.Effect<string>
  /** Waits for a screen. */
  readonly until: (
    what: string,
    isThere: (screen: ReadonlyArray<string>) => boolean
  ) => Effect.Effect<ReadonlyArray<string>>
  /** A file in which the shell finds the command `gantry` with these arguments; it writes its process id to `gantry.pid`. */
  readonly write: (name: string, parameters: ReadonlyArray<string>) => Effect.Effect<void>
  readonly pid: Effect.Effect<number>
}

const run = promisify(execFile)

const trimmed = (text: string): ReadonlyArray<string> =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")
    .trimEnd()
    .split("\n")

/** A shell whose prompt is `$ `, in a terminal of this size and in an empty folder. */
export const open = (size: Size, engine: Pick<Engine, "host">): Effect.Effect<Terminal, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const name = `gantry-${randomUUID()}`
    const tmux = (...parameters: ReadonlyArray<string>) =>
      Effect.promise(async () => {
        const { stdout } = await run("tmux", ["-u", "-L", name, "-f", "/dev/null", ...parameters], {
          cwd: folder,
          // No CI, which would choose other progress.
          env: {
            PATH: `${folder}:${process.env["PATH"]}`,
            HOME: folder,
            DOCKER_HOST: engine.host,
            LANG: "C.UTF-8",
            TERM: "xterm-256color"
          }
        })
        return stdout
      })
    yield* Effect.promise(() => writeFile(join(folder, "bashrc"), "PS1='$ '; unset HISTFILE\n"))
    const { columns, rows } = size
    yield* Effect.acquireRelease(
      tmux("new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, "bash --noprofile --rcfile bashrc"),
      () => Effect.ignore(tmux("kill-server"))
    )
    const screen = Effect.map(tmux("capture-pane", "-p"), trimmed)
    const until: Terminal["until"] = (what, isThere) =>
      screen.pipe(
        Effect.filterOrFail(isThere, (lines) => new Error(`${what} was not seen on:\n${lines.join("\n")}`)),
        Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo("100 seconds"))),
        Effect.orDie
      )
    const enter = (command: string) => Effect.asVoid(tmux("send-keys", command, "Enter"))
    const file = (path: string) => Effect.promise(() => readFile(join(folder, path), "utf8"))
    yield* until("a prompt", (lines) => lines.at(-1) === "$")
    return {
      enter,
      press: (...keys) => Effect.asVoid(tmux("send-keys", ...keys)),
      resize: ({ columns, rows }) => Effect.asVoid(tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`)),
      screen,
      history: Effect.map(tmux("capture-pane", "-p", "-J", "-S", "-", "-E", "-"), trimmed),
      isCursorVisible: Effect.map(tmux("display-message", "-p", "#{cursor_flag}"), (flag) => flag.trim() === "1"),
      settings: enter("stty -a >stty.txt; clear; echo settled").pipe(
        Effect.zipRight(until("the end of stty", (lines) => lines.includes("settled"))),
        Effect.zipRight(file("stty.txt"))
      ),
      until,
      write: (name, parameters) =>
        Effect.promise(async () => {
          const words = [process.execPath, bin, ...parameters].map((word) => `'${word}'`).join(" ")
          await writeFile(join(folder, name), `#!/bin/sh\necho $$ >gantry.pid\nexec ${words} "$@"\n`)
          await chmod(join(folder, name), 0o755)
        }),
      pid: Effect.map(file("gantry.pid"), Number)
    }
  })
