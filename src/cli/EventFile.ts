/**
 * The file of `--events`: every event of a run, one JSON a line, as they happen.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { PushEvent } from "../push/PushEvent.ts"
import { systemWords } from "./internal/systemWords.ts"
import { eventLine } from "./progress/json.ts"

/** `problem` is why an event could not be written; nothing is written after it. */
export interface EventFile {
  readonly write: (events: ReadonlyArray<PushEvent>) => Effect.Effect<void>
  readonly problem: Effect.Effect<Option.Option<string>>
}

/** No file at all. */
export const none: EventFile = { write: () => Effect.void, problem: Effect.succeedNone }

const incomplete = (path: string, error: PlatformError) =>
  `--events ${path} ends before the run did, for it could not be written (${systemWords(error)}). Make room, or name a file elsewhere.`

/** Begins the file anew; it closes with the scope. */
export const open = Effect.fn("EventFile.open")(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const file = yield* fileSystem.open(path, { flag: "w" })
  const problem = yield* Ref.make(Option.none<string>())
  const encoder = new TextEncoder()
  const append = (events: ReadonlyArray<PushEvent>) =>
    file
      .writeAll(encoder.encode(events.map((event) => `${eventLine(event)}\n`).join("")))
      .pipe(Effect.catchAll((error) => Ref.set(problem, Option.some(incomplete(path, error)))))
  return {
    write: (events) =>
      Effect.flatMap(Ref.get(problem), (known) => (Option.isSome(known) ? Effect.void : append(events))),
    problem: Ref.get(problem)
  } satisfies EventFile
})
