import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Source from "../../image/ImageSource.ts"
import type { PushError } from "../../push/PushError.ts"
import type { AttemptEvent } from "../../push/PushEvent.ts"
import { PushedImage, transportOf } from "../../push/PushedImage.ts"
import type { Digest } from "../../reference/Digest.ts"
import type { ImageReference } from "../../reference/ImageReference.ts"
import type { PushTransport, TransportResult } from "../../transport/PushTransport.ts"
import type { PushImageOptions } from "../ContainerRegistry.ts"
import type { RegistryConfig } from "../RegistryConfig.ts"
import { type Borrowed, credentialOf, type Held } from "./credentialLease.ts"
import * as ExistingTag from "./existingTag.ts"
import { pushTarget } from "./pushTarget.ts"
import type { Reauthenticate, Trial } from "./reauthentication.ts"

export type Emit = (event: AttemptEvent) => void

export const silent: Emit = () => {}

export const both =
  (first: Emit, second: Emit): Emit =>
  (event) => {
    first(event)
    second(event)
  }

/** What an attempt leaves: what the transport says, or the digest of what was left alone. */
type Sent = Omit<TransportResult, "status"> & Pick<PushedImage, "status">

export interface PushesOptions {
  readonly config: RegistryConfig
  readonly transport: Context.Tag.Service<PushTransport>
  readonly reauthenticate: Reauthenticate
  /** Tells a push's listener of each credential that takes the place of another. */
  readonly announceTo: (emit: Emit) => (borrowed: Borrowed) => void
  /** What runs before something is sent. */
  readonly prepare: (image: ImageReference, held: Held) => Effect.Effect<void, PushError>
}

/** A registry's pushes, and what they would do. */
export const make = ({ announceTo, config, prepare, reauthenticate, transport }: PushesOptions) => {
  const requestFor = (target: ImageReference, options: Pick<PushImageOptions, "source" | "platform"> | undefined) => ({
    source: options?.source ?? Source.docker(target),
    target,
    platform: Option.fromNullable(options?.platform),
    sourceCredential: Option.none(),
    tls: config.tls
  })

  type Request = ReturnType<typeof requestFor>

  const foresee = (request: Request, held: Held, rule: ExistingTag.TagRule) =>
    Effect.flatMap(transport.compare({ ...request, credential: credentialOf(held) }), (comparison) =>
      ExistingTag.foresee(request.target, comparison, rule)
    )

  /** The digest that the tag has, where the push is to leave it alone. */
  const kept = (request: Request, held: Held, rule: ExistingTag.TagRule) =>
    rule === "overwrite"
      ? Effect.succeedNone
      : Effect.map(foresee(request, held, rule), ({ digest, status }) =>
          status === "skipped" ? digest : Option.none()
        )

  const pushImage = Effect.fn("ContainerRegistry.pushImage")(function* (
    image: ImageReference | string,
    options?: PushImageOptions
  ) {
    const target = yield* pushTarget(config.uri, image)
    const request = requestFor(target, options)
    const rule = ExistingTag.ruleFor(target, config.protect, options?.onExisting)
    const emit = options?.emit ?? silent
    const send = ({ held, see }: Trial): Effect.Effect<Sent, PushError> =>
      Effect.zipRight(
        prepare(target, held),
        transport.push({ ...request, credential: credentialOf(held), emit: both(see, emit) })
      )
    const leave = (digest: Digest): Effect.Effect<Sent> =>
      Effect.succeed({ digest, status: "skipped", transport: transportOf(request.source) })
    const attempt = reauthenticate(
      (trial) =>
        Effect.flatMap(kept(request, trial.held, rule), Option.match({ onNone: () => send(trial), onSome: leave })),
      announceTo(emit)
    )
    const [duration, result] = yield* Effect.timed(attempt)
    return new PushedImage({
      ...result,
      reference: target,
      repoDigest: `${target.name}@${result.digest}`,
      attempts: 1,
      duration
    })
  })

  const previewPush = Effect.fn("ContainerRegistry.previewPush")(function* (
    image: ImageReference | string,
    options?: Omit<PushImageOptions, "emit">
  ) {
    const target = yield* pushTarget(config.uri, image)
    const request = requestFor(target, options)
    const rule = ExistingTag.ruleFor(target, config.protect, options?.onExisting)
    return yield* reauthenticate(({ held }) => foresee(request, held, rule))
  })

  return { pushImage, previewPush }
}
