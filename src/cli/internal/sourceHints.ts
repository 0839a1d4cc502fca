import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ImageSource } from "../../image/ImageSource.ts"
import { ImageNotFound, type PushError } from "../../push/PushError.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { PushTransport, type TransportRequest } from "../../transport/PushTransport.ts"

const otherForms: { readonly [name: string]: (tag: string) => string } = {
  docker: (tag) => `write docker://${tag} for the engine's image ${tag}`,
  oci: (tag) => `write oci:./${tag} for the layout in the folder ${tag}`,
  "docker-archive": (tag) => `write docker-archive:./${tag} for the file ${tag}`,
  registry: () => "write registry://HOST/REPOSITORY:TAG for an image in a registry"
}

/** `docker:dind` names an image, and its author may have meant another kind of source. */
export const hintOf = (source: ImageSource): Option.Option<string> => {
  if (source._tag !== "DockerSource") return Option.none()
  const { reference } = source
  const name = ImageReference.familiarName(reference)
  const form = Object.hasOwn(otherForms, name) ? otherForms[name] : undefined
  return Option.zipWith(
    Option.fromNullable(form),
    reference.tag,
    (write, tag) => `It is read as the image ${name}:${tag}: build or pull that, or ${write(tag)}.`
  )
}

const withHint = <A>(attempt: Effect.Effect<A, PushError>, { source }: TransportRequest) =>
  Effect.catchTag(attempt, "ImageNotFound", (error) =>
    Option.match(hintOf(source), {
      onNone: () => error,
      onSome: (hint) => new ImageNotFound({ image: error.image, where: error.where, hint })
    })
  )

/** A transport whose `ImageNotFound` says which other kind of source the name may have been meant for. */
export const layerHints: Layer.Layer<PushTransport, never, PushTransport> = Layer.effect(
  PushTransport,
  Effect.map(PushTransport, (transport) => ({
    push: (request) => withHint(transport.push(request), request),
    compare: (request) => withHint(transport.compare(request), request)
  }))
)
