/**
 * A scripted transport: pushes without an engine, a registry, or any time but the Clock's.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { RegistryUnauthorized } from "../distribution/RegistryError.ts"
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
 * What an attempt comes to. A delay is an effect that sleeps, a hang is `Effect.never`, a failure is `Effect.fail`.
 *
 * @since 0.1.0
 * @category models
 */
export type Answer = (call: PushCall) => Effect.Effect<TransportResult, PushError>

/**
 * What the transport answers.
 *
 * - `push`: the answer to each attempt, `pushed()` unless scripted
 * - `compare`: what the registry has under the tag, `Absent` unless scripted
 *
 * @since 0.1.0
 * @category models
 */
export interface TestTransportScript {
  readonly push?: Answer | undefined
  readonly compare?: ((call: TransportCall) => Effect.Effect<Comparison, PushError>) | undefined
}

/**
 * What a test asks the scripted transport: the requests so far in their order (comparisons too, as before the push of a
 * protected tag), and how many pushes run.
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
 * An attempt that goes through.
 *
 * @since 0.1.0
 * @category answers
 */
export const pushed =
  (fields?: Partial<TransportResult>): Answer =>
  () =>
    Effect.succeed(result(fields))

/**
 * An attempt that fails.
 *
 * @since 0.1.0
 * @category answers
 */
export const failed =
  (error: PushError): Answer =>
  () =>
    Effect.fail(error)

/**
 * An attempt that is answered after a while on the Clock.
 *
 * @since 0.1.0
 * @category answers
 */
export const delayed =
  (duration: Duration.DurationInput, answer: Answer): Answer =>
  (call) =>
    Effect.zipRight(Effect.sleep(duration), answer(call))

/**
 * The first attempt of a target is answered by the first, the next by the next. One more than there are answers is a defect.
 *
 * @since 0.1.0
 * @category answers
 */
export const inOrder =
  (...answers: ReadonlyArray<Answer>): Answer =>
  (call) =>
    answers[call.attempt - 1]?.(call) ??
    Effect.dieMessage(`TestTransport: the script has no answer to attempt ${call.attempt} of ${call.target}`)

/**
 * An attempt at whose end the registry looks at the credential: one that has expired by then is `RegistryUnauthorized`.
 *
 * @since 0.1.0
 * @category answers
 */
export const refusingExpired =
  (answer: Answer): Answer =>
  (call) =>
    Effect.flatMap(answer(call), (answered) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Option.exists(call.credential, ({ expiry }) => expiry._tag === "At" && expiry.at.epochMillis <= now)
          ? new RegistryUnauthorized({ registry: call.target.registry, status: 401, text: "token expired" })
          : Effect.succeed(answered)
      )
    )

/**
 * A transport that answers as the script says, and keeps what it was asked. What registries are asked besides pushes, as
 * by a supervisor after a throttled push, is not its to answer: `TestRegistry.layer` does.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { ContainerRegistry, PushError } from "gantry"
 * import { TestTransport } from "gantry/testing"
 * import { Layer } from "effect"
 *
 * const missing = new PushError.ImageNotFound({ image: "app:1", where: "the engine" })
 *
 * // The first attempt of each target takes a minute and fails; the second goes through.
 * const transport = TestTransport.layer({
 *   push: TestTransport.inOrder(
 *     TestTransport.delayed("1 minute", TestTransport.failed(missing)),
 *     TestTransport.pushed()
 *   )
 * })
 *
 * export const registry = ContainerRegistry.layer({ uri: "registry.example.com" }).pipe(Layer.provideMerge(transport))
 */
export const layer = (script: TestTransportScript = {}): Layer.Layer<PushTransport | TestTransport> =>
  Layer.effectContext(
    Effect.sync(() => {
      const { compare = () => Effect.succeed<Comparison>({ _tag: "Absent" }), push = pushed() } = script
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
