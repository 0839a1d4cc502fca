import * as Effect from "effect/Effect"

/** Ends when the system has taken the text; a stream whose reader has gone takes anything. */
export const write = (stream: NodeJS.WritableStream) => (chunk: string) =>
  Effect.async<void>((resume) => {
    if (chunk === "" || !stream.writable) return resume(Effect.void)
    stream.write(chunk, () => resume(Effect.void))
  })

/** A reader that has gone (`gantry … | head -1`) is told by an event too, which nobody would else catch. */
export const tolerateLostReader = (stream: NodeJS.WritableStream) => stream.on("error", () => {})
