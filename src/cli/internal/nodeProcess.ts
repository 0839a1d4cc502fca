import { text } from "node:stream/consumers"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Runtime from "effect/Runtime"
import { exitCode, type Signal } from "../exitCode.ts"
import { Signals } from "../Signals.ts"
import { Stdio } from "../Stdio.ts"
import { oneLine } from "./text.ts"

/** How long an interrupted run may take to write its report and leave: CLI.md says 5 s. */
const patience = "4500 millis"

const write = (stream: NodeJS.WriteStream) => (chunk: string) =>
  Effect.async<void>((resume) => {
    if (chunk === "" || !stream.writable) return resume(Effect.void)
    stream.write(chunk, () => resume(Effect.void))
  })

/** A reader that has gone (`gantry … | head -1`) is told by an event too, which nobody would else catch. */
const tolerateLostReader = (stream: NodeJS.WriteStream) => stream.on("error", () => {})

/** The process's own streams. */
export const layerStdio: Layer.Layer<Stdio> = Layer.sync(Stdio, () => {
  tolerateLostReader(process.stdout)
  tolerateLostReader(process.stderr)
  return {
    stdout: write(process.stdout),
    stderr: write(process.stderr),
    stdin: Effect.suspend(() =>
      process.stdin.isTTY ? Effect.succeedNone : Effect.asSome(Effect.promise(() => text(process.stdin)))
    )
  }
})

/** The process's own signals, from now until it ends. */
export const layerSignals: Layer.Layer<Signals> = Layer.effect(
  Signals,
  Effect.gen(function* () {
    const first = yield* Deferred.make<Signal>()
    const fork = Runtime.runFork(yield* Effect.runtime())
    const leave = (signal: Signal) => process.exit(exitCode({ _tag: "Interrupted", signal }, []))
    let isAsked = false
    const onSignal = (signal: Signal) => {
      if (isAsked) return leave(signal)
      isAsked = true
      Deferred.unsafeDone(first, Effect.succeed(signal))
      fork(
        Effect.delay(
          Effect.sync(() => leave(signal)),
          patience
        )
      )
    }
    process.on("SIGINT", onSignal)
    process.on("SIGTERM", onSignal)
    return { first: Deferred.await(first) }
  })
)

/** Warnings and errors as lines for people, on stderr. */
export const layerLogger: Layer.Layer<never> = Layer.merge(
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => {
      const words = Array.isArray(message) ? message.map(String).join(" ") : String(message)
      process.stderr.write(`gantry: ${logLevel.label.toLowerCase()}: ${oneLine(words)}\n`)
    })
  ),
  Logger.minimumLogLevel(LogLevel.Warning)
)
