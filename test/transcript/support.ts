/** A recorder whose file is a text, and exchanges of words with nobody. */
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Recorder from "../../src/transcript/Recorder.ts"
import * as Transcript from "../../src/transcript/Transcript.ts"

const words = Transcript.codec(Schema.String)

/** A question of words, answered and refused in words. */
export const exchange = (
  request: string,
  options: Partial<Transcript.Exchange<string, string, string>> = {}
): Transcript.Exchange<string, string, string> => ({
  party: "engine",
  request: (scrub) => scrub(request),
  secrets: [],
  secretsOf: () => [],
  answer: words,
  error: words,
  piece: words,
  ...options
})

/** The same, whose answer is only that it ends. */
export const nothingOf = (request: string): Transcript.Exchange<void, string, string> => ({
  ...exchange(request),
  secretsOf: () => [],
  answer: Transcript.nothing
})

const noSpace = new SystemError({
  reason: "Unknown",
  module: "FileSystem",
  method: "writeAll",
  description: "no space left on device"
})

/**
 * What was written to the file, and a recorder of it. After `room` characters the disk is `full`; it writes while `gate`
 * is open.
 */
export const recorder = (
  room = Number.POSITIVE_INFINITY,
  gate = Effect.unsafeMakeLatch(true),
  full: Effect.Effect<never, SystemError> = noSpace
) => {
  const file = { text: "" }
  const open: FileSystem.File = {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    fd: FileSystem.FileDescriptor(3),
    stat: Effect.die("unused"),
    seek: () => Effect.void,
    sync: Effect.void,
    read: () => Effect.die("unused"),
    readAlloc: () => Effect.die("unused"),
    truncate: () => Effect.void,
    write: () => Effect.die("unused"),
    writeAll: (bytes) =>
      gate.whenOpen(
        Effect.suspend(() => {
          const text = new TextDecoder().decode(bytes)
          if (file.text.length + text.length > room) return full
          file.text += text
          return Effect.void
        })
      )
  }
  const fileSystem = FileSystem.layerNoop({ open: () => Effect.succeed(open) })
  return { file, layer: Layer.provide(Recorder.layerFile({ file: "run.ndjson" }), fileSystem) }
}
