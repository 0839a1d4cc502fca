/**
 * A recorded run as a test: an engine and registries that answer what those of `gantry batch --record FILE` answered.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Layer from "effect/Layer"
import * as RegistryHttp from "../distribution/RegistryHttp.ts"
import * as DockerEngine from "../engine/DockerEngine.ts"
import * as Replay from "../transcript/Replay.ts"
import type { TranscriptInvalid } from "../transcript/Transcript.ts"

/**
 * `DockerEngine.layerReplay` and `RegistryHttp.layerReplay` of one file, and the test's own view of the replay: what it
 * has not been asked, and where the run has left the transcript. Catalogs and transports are to be built on it.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { Authentication, ImageReference, PushRequest, PushSupervisor, PushTransport, RegistryCatalog } from "gantry"
 * import { TestTranscript } from "gantry/testing"
 * import { Effect, Fiber, Layer, Redacted, TestClock } from "effect"
 *
 * // In CI: gantry push ghcr.io/acme/app:1 --record run.ndjson
 * // That run had a username and a password, so this one needs some: which ones does not matter.
 * const authentication = Authentication.usernamePassword("anybody", Redacted.make("anything"))
 * const replayed = PushSupervisor.layer().pipe(
 *   Layer.provide(RegistryCatalog.layer({ ghcr: { uri: "ghcr.io/acme", authentication } })),
 *   Layer.provide(PushTransport.layerEngine),
 *   Layer.provideMerge(TestTranscript.layer("run.ndjson")),
 *   Layer.provide(NodeFileSystem.layer)
 * )
 *
 * // In the test: it.effect("is pushed at the third attempt", () => pushed)
 * export const pushed = Effect.gen(function* () {
 *   const supervisor = yield* PushSupervisor.PushSupervisor
 *   const request = PushRequest.make({ target: ImageReference.unsafeParse("ghcr.io/acme/app:1") })
 *   const push = yield* Effect.fork(supervisor.push(request))
 *   yield* TestClock.adjust("1 hour")
 *   return (yield* Fiber.join(push)).attempts
 * }).pipe(Effect.provide(replayed))
 */
export const layer = (
  file: string
): Layer.Layer<
  DockerEngine.DockerEngine | RegistryHttp.RegistryHttp | Replay.Replay,
  TranscriptInvalid,
  FileSystem.FileSystem
> => Layer.provideMerge(Layer.merge(DockerEngine.layerReplaying, RegistryHttp.layerReplaying), Replay.layerFile(file))
