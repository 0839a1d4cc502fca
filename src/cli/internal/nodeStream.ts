import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

const ignore = () => {}

/** Ends when the system has taken the text, or has not, as `onLoss` learns. A reader that has gone loses nothing. */
export const write =
  (stream: NodeJS.WritableStream, onLoss: (error: Error) => void = ignore) =>
  (chunk: string) =>
    Effect.async<void>((resume) => {
      if (chunk === "" || !stream.writable) return resume(Effect.void)
      stream.write(chunk, (error) => {
        if (error && !(Predicate.hasProperty(error, "code") && error.code === "EPIPE")) onLoss(error)
        resume(Effect.void)
      })
    })

/** A reader that has gone (`gantry … | head -1`) is told by an event too, which nobody would else catch. */
export const tolerateLostReader = (stream: NodeJS.WritableStream) => stream.on("error", () => {})
