/**
 * The exit code a command has come to; @effect/cli's commands have no result of their own.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

export class ExitStatus extends Context.Tag("gantry/cli/ExitStatus")<ExitStatus, Ref.Ref<number>>() {}

export const set = (code: number): Effect.Effect<void, never, ExitStatus> =>
  Effect.flatMap(ExitStatus, (status) => Ref.set(status, code))
