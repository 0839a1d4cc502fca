import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type { Signal } from "../../../src/cli/exitCode.ts"
import { type RelayedSignal, Signals } from "../../../src/cli/Signals.ts"
import { Stdio } from "../../../src/cli/Stdio.ts"

/** What a command wrote, and a way to send it a signal. */
export class TestConsole extends Context.Tag("test/TestConsole")<
  TestConsole,
  {
    readonly stdout: Effect.Effect<string>
    readonly stderr: Effect.Effect<string>
    readonly signal: (signal: Signal) => Effect.Effect<boolean>
    /** As `signal`, to a command that runs another program. */
    readonly relay: (signal: RelayedSignal) => Effect.Effect<boolean>
  }
>() {}

/** A console with this piped in; a terminal when there is nothing. */
export const layer = (stdin?: string): Layer.Layer<Stdio | Signals | TestConsole> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const written = { stdout: "", stderr: "" }
      const first = yield* Deferred.make<Signal>()
      const relayed = yield* Queue.unbounded<RelayedSignal>()
      const write = (stream: keyof typeof written) => (text: string) =>
        Effect.sync(() => {
          written[stream] += text
        })
      return Context.make(Stdio, {
        stdout: write("stdout"),
        lost: Effect.succeedNone,
        stderr: write("stderr"),
        screen: Option.none(),
        stdin: Effect.succeed(Option.fromNullable(stdin))
      }).pipe(
        Context.add(Signals, { first: Deferred.await(first), relay: Effect.succeed(relayed) }),
        Context.add(TestConsole, {
          stdout: Effect.sync(() => written.stdout),
          stderr: Effect.sync(() => written.stderr),
          signal: (signal) => Deferred.succeed(first, signal),
          relay: (signal) => Queue.offer(relayed, signal)
        })
      )
    })
  )
