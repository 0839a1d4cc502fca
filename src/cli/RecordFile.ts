/**
 * The file of `--record`: what the engine and the registries answer in a run, for a test that plays it.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RegistryHttp from "../distribution/RegistryHttp.ts"
import * as DockerEngine from "../engine/DockerEngine.ts"
import * as Recorder from "../transcript/Recorder.ts"
import { systemWords } from "./internal/systemWords.ts"

/** `engine` and `network` are what stands before the real ones; `problem` ends the file and tells why it is not whole. */
export interface RecordFile {
  readonly engine: Layer.Layer<DockerEngine.DockerEngine, never, DockerEngine.DockerEngine>
  readonly network: Layer.Layer<RegistryHttp.RegistryHttp>
  readonly problem: Effect.Effect<Option.Option<string>>
}

/** No file at all. */
export const none: RecordFile = {
  engine: Layer.service(DockerEngine.DockerEngine),
  network: Layer.effect(RegistryHttp.RegistryHttp, RegistryHttp.RegistryHttp),
  problem: Effect.succeedNone
}

const whyOf = (error: PlatformError): string =>
  error._tag === "SystemError" && error.reason === "InvalidData"
    ? `for ${systemWords(error)}. The run itself is not touched by it.`
    : `for it could not be written (${systemWords(error)}). Make room, or name a file elsewhere.`

/** Begins the file anew; it closes with the scope. */
export const open = Effect.fn("RecordFile.open")(function* (path: string, program: string) {
  const context = yield* Layer.build(Recorder.layerFile({ file: path, program }))
  const recorder = Layer.succeedContext(context)
  return {
    engine: Layer.provide(DockerEngine.layerRecording, recorder),
    network: Layer.provide(RegistryHttp.layerRecording, recorder),
    problem: Effect.map(
      Context.get(context, Recorder.Recorder).finish,
      Option.map((error) => `--record ${path} ends before the run did, ${whyOf(error)}`)
    )
  } satisfies RecordFile
})
