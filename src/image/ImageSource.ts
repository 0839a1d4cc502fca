/**
 * Where an image's bytes are: an engine, a layout folder, a `docker save` file, or another registry.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as ImageReference from "../reference/ImageReference.ts"

/**
 * An image in a Docker Engine, named by a local reference or by its id.
 *
 * @since 0.1.0
 * @category models
 */
export class DockerSource extends Data.TaggedClass("DockerSource")<{
  readonly reference: ImageReference.ImageReference
}> {
  /** @since 0.1.0 */
  override toString(): string {
    return `docker://${this.reference}`
  }
}

/**
 * An image in an OCI layout folder, chosen by tag when the layout holds several.
 *
 * @since 0.1.0
 * @category models
 */
export class OciLayoutSource extends Data.TaggedClass("OciLayoutSource")<{
  readonly path: string
  readonly tag: Option.Option<string>
}> {
  /** @since 0.1.0 */
  override toString(): string {
    return `oci:${this.path}${fragment(this.tag)}`
  }
}

/**
 * An image in a file that `docker save` wrote, chosen by name when the file holds several.
 *
 * @since 0.1.0
 * @category models
 */
export class DockerArchiveSource extends Data.TaggedClass("DockerArchiveSource")<{
  readonly path: string
  readonly reference: Option.Option<string>
}> {
  /** @since 0.1.0 */
  override toString(): string {
    return `docker-archive:${this.path}${fragment(this.reference)}`
  }
}

/**
 * An image in another registry.
 *
 * @since 0.1.0
 * @category models
 */
export class RegistrySource extends Data.TaggedClass("RegistrySource")<{
  readonly reference: ImageReference.ImageReference
}> {
  /** @since 0.1.0 */
  override toString(): string {
    return `registry://${this.reference}`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export type ImageSource = DockerSource | OciLayoutSource | DockerArchiveSource | RegistrySource

const fragment = (name: Option.Option<string>): string =>
  Option.match(name, { onNone: () => "", onSome: (text) => `#${text}` })

/**
 * An image in the engine.
 *
 * @since 0.1.0
 * @category constructors
 */
export const docker = (reference: ImageReference.ImageReference): ImageSource => new DockerSource({ reference })

const startsPath = (text: string): boolean => /^(\.{1,2}\/|\/|~\/|[A-Za-z]:[\\/])/.test(text)

const splitFragment = (text: string): { readonly path: string; readonly name: Option.Option<string> } => {
  const at = text.indexOf("#")
  return at === -1
    ? { path: text, name: Option.none() }
    : { path: text.slice(0, at), name: Option.some(text.slice(at + 1)) }
}

/**
 * Reads the command line's SOURCE: `app:1`, `docker://app:1`, `oci:./layout#tag`, `docker-archive:./file.tar#app:1`,
 * `registry://host/app:1`.
 *
 * A path begins with `./`, `../`, `/`, `~/` or a drive letter; anything else is an image reference, so `registry:2` and
 * `oci:latest` name images. Fails with `InvalidImageReference` whose position counts from the start of `text`.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (text: string): Either.Either<ImageSource, ImageReference.InvalidImageReference> => {
  if (text.startsWith("docker://")) {
    return Either.map(parseAfter(text, "docker://"), docker)
  }
  if (text.startsWith("registry://")) {
    return Either.map(parseAfter(text, "registry://"), (reference) => new RegistrySource({ reference }))
  }
  if (text.startsWith("oci:") && startsPath(text.slice(4))) {
    const { name, path } = splitFragment(text.slice(4))
    return Either.right(new OciLayoutSource({ path, tag: name }))
  }
  if (text.startsWith("docker-archive:") && startsPath(text.slice(15))) {
    const { name, path } = splitFragment(text.slice(15))
    return Either.right(new DockerArchiveSource({ path, reference: name }))
  }
  return Either.map(ImageReference.parse(text), docker)
}

const parseAfter = (text: string, prefix: string) =>
  Either.mapLeft(
    ImageReference.parse(text.slice(prefix.length)),
    (error) =>
      new ImageReference.InvalidImageReference({
        ...error,
        input: `${prefix}${error.input}`,
        position: error.position + prefix.length
      })
  )

const isImageSource = (u: unknown): u is ImageSource =>
  u instanceof DockerSource ||
  u instanceof OciLayoutSource ||
  u instanceof DockerArchiveSource ||
  u instanceof RegistrySource

/**
 * The text form of a source, as files, arguments and events carry it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const FromString: Schema.Schema<ImageSource, string> = Schema.transformOrFail(
  Schema.String,
  Schema.declare(isImageSource),
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.match(parse(text), {
        onLeft: (error) => ParseResult.fail(new ParseResult.Type(ast, text, error.message)),
        onRight: ParseResult.succeed
      }),
    encode: (source) => ParseResult.succeed(String(source))
  }
).annotations({ identifier: "ImageSource" })
