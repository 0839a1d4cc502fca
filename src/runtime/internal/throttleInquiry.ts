/**
 * Asks a registry whether it still wants fewer requests.
 *
 * The question is the HEAD of the manifest whose push was throttled, which is what the next push begins with: a registry
 * that limits requests counts those of manifests, and `/v2/` often does not stand behind its limiter at all.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { ImageReference } from "../../reference/ImageReference.ts"
import type { RegistryCatalog } from "../../registry/RegistryCatalog.ts"
import * as Attributes from "./attributes.ts"
import * as RetryPolicy from "./retryPolicy.ts"

export type ThrottleInquiry = (target: ImageReference) => Effect.Effect<Option.Option<RetryPolicy.Slowdown>>

const PATIENCE = "10 seconds"

/** Any other trouble, a defect too, is none of the question's: the pushes will meet it, or not. */
export const make =
  (catalog: Context.Tag.Service<RegistryCatalog>): ThrottleInquiry =>
  (target) =>
    Effect.flatMap(catalog.forImage(target), (registry) => registry.digest(target)).pipe(
      Effect.timeoutOption(PATIENCE),
      Effect.exit,
      Effect.map((exit) =>
        Exit.causeOption(exit).pipe(Option.flatMap(Cause.failureOption), Option.flatMap(RetryPolicy.slowdownOf))
      ),
      // It is no push's own, and the supervisor's beginning may be long ago.
      Effect.withSpan("PushSupervisor.inquire", { root: true, attributes: { [Attributes.REGISTRY]: target.registry } })
    )
