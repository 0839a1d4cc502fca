/**
 * A scripted transport: pushes without an engine, a registry, or any time but the Clock's.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { PushError } from "../push/PushError.ts"
import type { AttemptEvent } from "../push/PushEvent.ts"
import * as Digest from "../reference/Digest.ts"
import {
  type Comparison,
  PushTransport,
  type TransportRequest,
  type TransportResult
} from "../transport/PushTransport.ts"

/**
 * One request as the transport saw it. `attempt` is 1 for the first push (or comparison) of this target, 2 for the next.
 * A credential's secrets stay `Redacted`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TransportCall extends TransportRequest {
  readonly method: "push" | "compare"
  readonly attempt: number
}

/**
 * A push that waits for its answer, and the sink for its events.
 *
 * @since 0.1.0
 * @category models
 */
export interface PushCall extends TransportCall {
  readonly emit: (event: AttemptEvent) => void
}

/**
 * What the transport answers. A delay is an effect that sleeps, a hang is `Effect.never`, a failure is `Effect.fail`.
 *
 * - `push`: the answer to each attempt, `result()` unless scripted
 * - `compare`: what the registry has under the tag, `Absent` unless scripted
 *
 * @since 0.1.0
 * @category models
 */
export interface TestTransportScript {
  readonly push?: ((call: PushCall) => Effect.Effect<TransportResult, PushError>) | undefined
  readonly compare?: ((call: TransportCall) => Effect.Effect<Comparison, PushError>) | undefined
}

/**
 * What a test asks the scripted transport: the requests so far in their order, and how many pushes run.
 *
 * @since 0.1.0
 * @category services
 */
export class TestTransport extends Context.Tag("gantry/TestTransport")<
  TestTransport,
  {
    readonly calls: Effect.Effect<ReadonlyArray<TransportCall>>
    readonly pushesInFlight: Effect.Effect<number>
  }
>() {}

const someDigest = Digest.unsafeParse(`sha256:${"0".repeat(64)}`)

/**
 * The result of an attempt that sent an image, with a digest of zeros unless told otherwise.
 *
 * @since 0.1.0
 * @category constructors
 */
export const result = (fields: Partial<TransportResult> = {}): TransportResult => ({
  digest: someDigest,
  status: "pushed",
  transport: "engine",
  ...fields
})

/**
 * A transport that answers as the script says, and keeps what it was asked. What registries are asked besides pushes, as
 * by a supervisor after a throttled push, is not its to answer: `TestRegistry.layer` does.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, PushError } from "gantry"
 * import { TestTransport } from "gantry/testing"
 * import { Effect, Layer } from "effect"
 *
 * // The first attempt of each target hangs for a minute and is then refused; the second goes through.
 * const transport = TestTransport.layer({
 *   push: (call) =>
 *     call.attempt === 1
 *       ? Effect.delay(new PushError.ImageNotFound({ image: String(call.target), where: "the engine" }), "1 minute")
 *       : Effect.succeed(TestTransport.result())
 * })
 *
 * export const registry = ContainerRegistry.layer({ uri: "registry.example.com" }).pipe(Layer.provideMerge(transport))
 */
export const layer = (script: TestTransportScript = {}): Layer.Layer<PushTransport | TestTransport> =>
  Layer.effectContext(
    Effect.sync(() => {
      const { compare = () => Effect.succeed<Comparison>({ _tag: "Absent" }), push = () => Effect.succeed(result()) } =
        script
      const calls: Array<TransportCall> = []
      const attempts = new Map<string, number>()
      let inFlight = 0

      const record = (method: TransportCall["method"], request: TransportRequest): TransportCall => {
        const key = `${method} ${request.target}`
        const attempt = (attempts.get(key) ?? 0) + 1
        attempts.set(key, attempt)
        const { credential, platform, source, sourceCredential, target, tls } = request
        const call = { method, attempt, credential, platform, source, sourceCredential, target, tls }
        calls.push(call)
        return call
      }

      return Context.make(PushTransport, {
        push: (request) =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              inFlight++
              return record("push", request)
            }),
            (call) => push({ ...call, emit: request.emit }),
            () =>
              Effect.sync(() => {
                inFlight--
              })
          ),
        compare: (request) => Effect.suspend(() => compare(record("compare", request)))
      }).pipe(
        Context.add(TestTransport, {
          calls: Effect.sync(() => calls.slice()),
          pushesInFlight: Effect.sync(() => inFlight)
        })
      )
    })
  )
