/** A process that outlives its starter: its pid in a file, its output in files, ended by whoever reads the files. */
import { spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { readFile, rm, writeFile } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { searchPath } from "../Prerequisites.ts"
import { StackError } from "../StackError.ts"

export interface Daemon {
  readonly name: string
  readonly pidFile: string
  /** A text that only this daemon's command line contains: a pid file may be older than the machine's last boot. */
  readonly mark: string
}

export interface StartOptions {
  readonly command: string
  readonly arguments: ReadonlyArray<string>
  readonly stdout: string
  readonly stderr: string
  readonly isReady: Effect.Effect<boolean>
}

/** Runs a file system operation; that one fails is a fault of the machine, reported with its own text. */
export const attempt = <A>(operation: () => Promise<A>): Effect.Effect<A, StackError> =>
  Effect.tryPromise({
    try: operation,
    catch: (cause) => new StackError({ message: cause instanceof Error ? cause.message : String(cause) })
  })

/** Polls on the real clock, whatever clock the test runs on: real processes do not know about TestClock. */
export const until = (
  condition: Effect.Effect<boolean>,
  options: { readonly within: Duration.DurationInput; readonly otherwise: Effect.Effect<string> }
): Effect.Effect<void, StackError> =>
  condition.pipe(
    Effect.repeat({ until: (met) => met, schedule: Schedule.spaced(Duration.millis(20)) }),
    Effect.timeoutOption(options.within),
    Effect.flatMap(
      Option.match({
        onSome: () => Effect.void,
        onNone: () => Effect.flatMap(options.otherwise, (message) => Effect.fail(new StackError({ message })))
      })
    ),
    Effect.withClock(Clock.make())
  )

/** The pid in the file, if that process lives and is the daemon meant. A zombie has an empty command line: not alive. */
export const pid = (daemon: Daemon): Effect.Effect<Option.Option<number>> =>
  Effect.gen(function* () {
    const id = Number.parseInt(yield* attempt(() => readFile(daemon.pidFile, "utf8")), 10)
    const commandLine = yield* attempt(() => readFile(`/proc/${id}/cmdline`, "utf8"))
    return commandLine.includes(daemon.mark) ? Option.some(id) : Option.none()
  }).pipe(Effect.orElseSucceed(() => Option.none<number>()))

const isGone = (daemon: Daemon) => Effect.map(pid(daemon), Option.isNone)

const send = (id: number, signal: NodeJS.Signals) =>
  Effect.sync(() => {
    try {
      process.kill(id, signal)
    } catch {
      // It ended between the look at its pid file and this signal.
    }
  })

/**
 * Whether a process has let go of all that it held. Its command line is empty earlier than that: its sockets still take
 * connections then, until the last of its threads has ended.
 */
const hasEnded = (id: number): Effect.Effect<boolean> =>
  attempt(() => readFile(`/proc/${id}/status`, "utf8")).pipe(
    Effect.map((status) => /^State:\s+[ZX]/m.test(status) && /^Threads:\s+1$/m.test(status)),
    Effect.orElseSucceed(() => true)
  )

/** Sends the signal if the daemon lives and waits until it has ended. */
export const end = (
  daemon: Daemon,
  signal: NodeJS.Signals,
  within: Duration.DurationInput = "10 seconds"
): Effect.Effect<void, StackError> =>
  Effect.flatMap(
    pid(daemon),
    Option.match({
      onNone: () => Effect.void,
      onSome: (id) =>
        Effect.zipRight(
          send(id, signal),
          until(hasEnded(id), {
            within,
            otherwise: Effect.succeed(`${daemon.name} (pid ${id}) outlived ${signal}`)
          })
        )
    })
  )

/** SIGTERM, then SIGKILL; the pid file goes too. */
export const stop = (daemon: Daemon): Effect.Effect<void, StackError> =>
  end(daemon, "SIGTERM").pipe(
    Effect.catchAll(() => end(daemon, "SIGKILL")),
    Effect.zipRight(attempt(() => rm(daemon.pidFile, { force: true })))
  )

const lastLines = (file: string): Effect.Effect<string> =>
  attempt(() => readFile(file, "utf8")).pipe(
    Effect.map((text) => text.trimEnd().split("\n").slice(-5).join("\n")),
    Effect.orElseSucceed(() => "")
  )

const launch = (daemon: Daemon, options: StartOptions): Effect.Effect<void, StackError> =>
  Effect.async((resume) => {
    const stdout = openSync(options.stdout, "a")
    const stderr = options.stderr === options.stdout ? stdout : openSync(options.stderr, "a")
    const child = spawn(options.command, options.arguments, {
      detached: true,
      stdio: ["ignore", stdout, stderr],
      // Nothing of the caller's environment: REGISTRY_* and DOCKER_* variables would change what is started.
      env: { PATH: searchPath, HOME: process.env["HOME"] ?? "/" }
    })
    closeSync(stdout)
    if (stderr !== stdout) {
      closeSync(stderr)
    }
    child.once("error", (error) => resume(Effect.fail(new StackError({ message: `${daemon.name}: ${error.message}` }))))
    child.once("spawn", () => {
      child.unref()
      resume(Effect.asVoid(attempt(() => writeFile(daemon.pidFile, `${child.pid}\n`))))
    })
  })

/** Starts the process and waits until it is ready; fails with its last words when it dies or stays silent. */
export const start = (daemon: Daemon, options: StartOptions): Effect.Effect<void, StackError> =>
  Effect.gen(function* () {
    yield* launch(daemon, options)
    let died = false
    const readyOrDead = Effect.gen(function* () {
      if (yield* options.isReady) {
        return true
      }
      died = yield* isGone(daemon)
      return died
    })
    yield* until(readyOrDead, {
      within: "30 seconds",
      otherwise: Effect.map(lastLines(options.stderr), (words) => `${daemon.name} was not ready in 30 s:\n${words}`)
    })
    if (died) {
      const words = yield* lastLines(options.stderr)
      return yield* new StackError({ message: `${daemon.name} ended while starting:\n${words}` })
    }
  })
