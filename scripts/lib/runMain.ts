/** How every script's program is run: why it fails goes to stderr, and only what came to its end is a success. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

const reason = <E extends Error>(cause: Cause.Cause<E>): string =>
  Cause.isInterruptedOnly(cause)
    ? "interrupted"
    : Option.match(Cause.failureOption(cause), {
        onNone: () => Cause.pretty(cause),
        onSome: ({ message }) => message
      })

/** Runs a program until it ends or is ended by a signal, with its finalizers in either case. */
export const runMain = <E extends Error>(program: Effect.Effect<void, E>): void =>
  program.pipe(
    Effect.onError((cause) => Console.error(reason(cause))),
    // What is interrupted has shown nothing, and Effect would end it with 0.
    NodeRuntime.runMain({ disableErrorReporting: true, teardown: (exit, end) => end(Exit.isSuccess(exit) ? 0 : 1) })
  )
