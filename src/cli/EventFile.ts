/**
 * The file of `--events`: every event of a run, one JSON a line, as they happen.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { PushEvent } from "../push/PushEvent.ts"
import { eventLine } from "./progress/json.ts"

/** `problem` is why an event could not be written; nothing is written after it. */
export interface EventFile {
  readonly write: (event: PushEvent) => Effect.Effect<void>
  readonly problem: Effect.Effect<Option.Option<string>>
}

/** No file at all. */
export const none: EventFile = { write: () => Effect.void, problem: Effect.succeedNone }

/** Begins the file anew; it closes with the scope. */
export const open = Effect.fn("EventFile.open")(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const file = yield* fileSystem.open(path, { flag: "w" })
  const problem = yield* Ref.make(Option.none<string>())
  const encoder = new TextEncoder()
  const append = (event: PushEvent) =>
    file
      .writeAll(encoder.encode(`${eventLine(event)}\n`))
      .pipe(Effect.catchAll((error) => Ref.set(problem, Option.some(`--events ${path}: ${error.message}`))))
  return {
    write: (event) => Effect.flatMap(Ref.get(problem), (known) => (Option.isSome(known) ? Effect.void : append(event))),
    problem: Ref.get(problem)
  } satisfies EventFile
})
