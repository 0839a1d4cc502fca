import { text } from "node:stream/consumers"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
import { exitCode, type Signal } from "../exitCode.ts"
import { type RelayedSignal, Signals } from "../Signals.ts"
import { Stdio } from "../Stdio.ts"
import { tolerateLostReader, write } from "./nodeStream.ts"
import * as NodeTerminal from "./nodeTerminal.ts"
import { oneLine } from "./text.ts"

/** How long an interrupted run may take to write its report and leave: CLI.md says 5 s. */
const patience = "4500 millis"

/** The process's own streams. */
export const layerStdio: Layer.Layer<Stdio> = Layer.sync(Stdio, () => {
  tolerateLostReader(process.stdout)
  tolerateLostReader(process.stderr)
  const terminal = process.stderr.isTTY ? Option.some(NodeTerminal.open()) : Option.none()
  let lost = Option.none<string>()
  const onLoss = ({ message }: Error) => {
    lost = Option.orElseSome(lost, () => message)
  }
  return {
    stdout: write(process.stdout, onLoss),
    lost: Effect.sync(() => lost),
    stderr: Option.match(terminal, { onNone: () => write(process.stderr), onSome: ({ stderr }) => stderr }),
    screen: Option.map(terminal, ({ screen }) => screen),
    stdin: Effect.suspend(() =>
      process.stdin.isTTY ? Effect.succeedNone : Effect.asSome(Effect.promise(() => text(process.stdin)))
    )
  }
})

const relayedSignals: ReadonlyArray<RelayedSignal> = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]

/** The process's own signals, from now until it ends. */
export const layerSignals: Layer.Layer<Signals> = Layer.effect(
  Signals,
  Effect.gen(function* () {
    const first = yield* Deferred.make<Signal>()
    const fork = Runtime.runFork(yield* Effect.runtime())
    let isRelayed = false
    const leave = (signal: Signal) => {
      if (!isRelayed) process.exit(exitCode({ _tag: "Interrupted", signal }, []))
    }
    let isAsked = false
    const onSignal = (signal: Signal) => {
      if (isRelayed) return
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

    const relay = Effect.gen(function* () {
      const queue = yield* Queue.unbounded<RelayedSignal>()
      const offer = (signal: RelayedSignal) => queue.unsafeOffer(signal)
      const early = yield* Deferred.poll(first)
      if (Option.isSome(early)) offer(yield* early.value)
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          isRelayed = true
          for (const signal of relayedSignals) process.on(signal, offer)
        }),
        () =>
          Effect.sync(() => {
            for (const signal of relayedSignals) process.off(signal, offer)
            isRelayed = false
          })
      )
      return queue
    })
    return { first: Deferred.await(first), relay }
  })
)

/** Warnings and errors as lines for people, on stderr. */
export const layerLogger: Layer.Layer<never> = Layer.merge(
  Layer.unwrapEffect(
    Effect.map(Stdio, ({ stderr }) =>
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => {
          const words = Array.isArray(message) ? message.map(String).join(" ") : String(message)
          Effect.runFork(stderr(`gantry: ${logLevel.label.toLowerCase()}: ${oneLine(words)}\n`))
        })
      )
    )
  ).pipe(Layer.provide(layerStdio)),
  Logger.minimumLogLevel(LogLevel.Warning)
)
