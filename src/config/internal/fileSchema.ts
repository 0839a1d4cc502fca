import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as ConnectorType from "../../connector/ConnectorType.ts"
import type { RegistryTls } from "../../distribution/RegistryHttp.ts"
import * as RegistryFlavor from "../../flavor/RegistryFlavor.ts"
import * as ImageSource from "../../image/ImageSource.ts"
import * as PushTarget from "../../push/PushTarget.ts"
import * as ImageReference from "../../reference/ImageReference.ts"
import { isTagGlob, tagGlobForm } from "../../reference/internal/glob.ts"
import { checkRepository, checkTag } from "../../reference/internal/grammar.ts"
import { didYouMean } from "../../reference/internal/nearest.ts"
import * as RegistryUri from "../../reference/RegistryUri.ts"
import { FileConnector } from "./connectorSchema.ts"
import { FileScope, namePattern } from "./fileScope.ts"
import { interpolated } from "./interpolated.ts"
import { EnvSource, FileSource, plainText, SecretSource, StdinSource, sources } from "./secretSource.ts"

// A description serves twice: editors show it, and an error says it after "expected". No message repeats a value.

const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

const Name = Schema.String.pipe(
  Schema.pattern(namePattern),
  Schema.annotations({ description: "a name of lower-case letters, digits and dashes that begins with a letter" })
)

export const FileSecret = Schema.Struct({
  username: Schema.Union(
    plainText("a username", "write { env: NAME } to take it from the environment"),
    EnvSource,
    FileSource,
    StdinSource
  ).annotations({ description: `the username (quoted when it is a number), or where it is: ${sources}` }),
  password: SecretSource
}).annotations({ description: "a secret: { username: NAME, password: { env: NAME } }" })

export type FileSecret = typeof FileSecret.Type

const flavorNames = (flavors: ReadonlyArray<RegistryFlavor.RegistryFlavor>) => flavors.map(({ name }) => name)

const Flavor = Schema.transformOrFail(
  Schema.String.annotations({
    description: `the kind of registry: ${flavorNames(RegistryFlavor.builtin).join(", ")} (taken from the host when left out)`
  }),
  Schema.declare(
    (value: unknown): value is RegistryFlavor.RegistryFlavor => Predicate.hasProperty(value, "matchesHost"),
    { identifier: "RegistryFlavor" }
  ),
  {
    strict: true,
    decode: (name, _, ast) =>
      Effect.flatMap(RegistryFlavor.RegistryFlavors, (flavors) =>
        Either.fromOption(
          Arr.findFirst(flavors, (flavor) => flavor.name === name),
          () => {
            const known = flavorNames(flavors)
            return new ParseResult.Type(ast, name, `expected one of ${known.join(", ")}${didYouMean(name, known)}`)
          }
        )
      ),
    encode: ({ name }) => ParseResult.succeed(name)
  }
)

/** The name of something else in the file. */
const reference = (kind: string, section: "secrets" | "connectors", how: string) =>
  Schema.String.annotations({ description: `the name of a ${kind} of this file` }).pipe(
    Schema.filterEffect((name) =>
      Effect.map(FileScope, (scope) => {
        const known = Object.keys(scope[section])
        if (known.includes(name)) return true
        return known.length === 0
          ? `there is no ${kind} of this name, and none under ${section} at all; add it there with its ${how}`
          : `there is no ${kind} of this name under ${section}, which has ${known.join(", ")}${didYouMean(name, known)}`
      })
    )
  )

const tls: ReadonlyArray<RegistryTls> = ["verify", "skip-verify", "off"]

const Repository = Schema.String.annotations({ description: "a repository such as team/app" }).pipe(
  Schema.filter((text) => {
    const violation = checkRepository(text, 0, text.length)
    return (
      violation === undefined || `expected ${violation.expected} at offset ${violation.position}; write it as team/app`
    )
  })
)

const TagGlob = Schema.String.annotations({ description: tagGlobForm }).pipe(
  Schema.filter((pattern) => isTagGlob(pattern) || `expected ${tagGlobForm}`)
)

export const FileRegistry = Schema.Struct({
  uri: interpolated({
    written: Schema.String.annotations({
      description: "the registry's address, host[:port][/path]",
      examples: ["ghcr.io/acme", "localhost:5000"]
    }),
    parsed: RegistryUri.FromString,
    form: "host[:port][/path], or the name of a Docker Hub account",
    parse: RegistryUri.parse,
    print: String
  }),
  flavor: optional(Flavor),
  secret: optional(reference("secret", "secrets", "username and password")),
  connector: optional(reference("connector", "connectors", "type and method")),
  tls: optional(
    Schema.Literal(...tls).annotations({
      description: "verify (the default), skip-verify or off (the default on this machine)"
    })
  ),
  concurrency: optional(
    Schema.Int.pipe(Schema.positive()).annotations({
      description: "a whole number from 1: how many pushes may run at once to this registry's host"
    })
  ),
  defaultRepository: optional(Repository),
  protect: optional(
    Schema.Array(TagGlob).annotations({
      description: 'a list of tags that are not moved to other content, as in ["v*"]'
    })
  )
})
  .annotations({ description: "a registry: { uri: host[:port][/path] }" })
  .pipe(
    Schema.filterEffect(
      Effect.fnUntraced(function* ({ connector, secret, uri, ...registry }) {
        const flavor = registry.flavor ?? RegistryFlavor.forUri(uri, yield* RegistryFlavor.RegistryFlavors)
        const misplaced = Either.match(flavor.validateUri(uri), {
          onLeft: ({ expected }) => [
            { path: ["uri"], message: `expected ${expected}, as a registry of the flavor ${flavor.name} has it` }
          ],
          onRight: () => []
        })
        if (connector === undefined) return misplaced
        const types = yield* ConnectorType.ConnectorTypes
        const { connectors } = yield* FileScope
        const type = types.find(({ type }) => type === connectors[connector])
        return [
          ...misplaced,
          ...(secret === undefined
            ? []
            : [{ path: ["connector"], message: "this registry has a secret, too; keep the one that is meant" }]),
          ...Either.match(type === undefined ? Either.void : ConnectorType.canServe(type, { flavor, uri }, types), {
            onLeft: ({ message }) => [{ path: ["connector"], message }],
            onRight: () => []
          })
        ]
      })
    )
  )

export type FileRegistry = typeof FileRegistry.Type

/** A list, or its only item without the brackets. */
const oneOrMore = <A, R>(item: Schema.Schema<A, string, R>, description: string) =>
  Schema.transform(
    Schema.Union(item, Schema.NonEmptyArray(item)).annotations({ description }),
    Schema.NonEmptyArray(Schema.typeSchema(item)),
    {
      strict: true,
      decode: (given) => (isList(given) ? given : Arr.of(given)),
      encode: (items) => items
    }
  )

const isList = <A>(given: A | Arr.NonEmptyReadonlyArray<A>): given is Arr.NonEmptyReadonlyArray<A> =>
  Array.isArray(given)

/** Registries of one address differ by their secrets, so the name that a target was written with is kept. */
const NamedTarget = Schema.Struct({
  reference: Schema.typeSchema(ImageReference.FromString),
  registry: Schema.OptionFromSelf(Schema.String)
})

const Target = interpolated({
  written: Schema.String.annotations({ description: "@NAME/repository[:tag] or host/repository[:tag]" }),
  parsed: NamedTarget,
  form: "@NAME/repository[:tag] or host/repository[:tag]",
  parse: (text, { registries }) =>
    Either.mapBoth(PushTarget.parse(text, registries), {
      onLeft: (error) =>
        error._tag === "RegistryNotInFile" ? `there is no registry of this name: ${error.advice}` : error,
      onRight: (reference) => ({ reference, registry: PushTarget.nameOf(text) })
    }),
  print: ({ reference }) => String(reference)
})

const Tag = interpolated({
  written: Schema.String.annotations({ description: "a tag" }),
  parsed: Schema.String,
  form: "letters, digits, dots, dashes and underscores",
  parse: (text) => {
    const violation = checkTag(text, 0, text.length)
    return violation === undefined ? Either.right(text) : Either.left(violation)
  },
  print: String
})

const WrittenPush = Schema.Struct({
  source: interpolated({
    written: Schema.String.annotations({
      description: "the image: a reference, oci:PATH[#TAG], docker-archive:PATH[#REF] or registry://REF",
      examples: ["app:1.4.2", "oci:./build/worker#1.4.2"]
    }),
    parsed: ImageSource.FromString,
    form: "an image reference, oci:PATH[#TAG], docker-archive:PATH[#REF] or registry://REF",
    parse: ImageSource.parse,
    print: String
  }),
  to: oneOrMore(Target, "a target, @NAME/repository[:tag] or host/repository[:tag], or a list of them"),
  tags: optional(oneOrMore(Tag, "a tag, or a list of tags"))
}).annotations({ description: "a push: { source: IMAGE, to: TARGET }" })

const FilePush = Schema.Struct({
  source: Schema.typeSchema(ImageSource.FromString),
  targets: Schema.NonEmptyArray(Schema.typeSchema(ImageReference.FromString)),
  /** The registries that its targets name. */
  registries: Schema.Array(Schema.String)
})

/** Every name that one target stands for, or what is wrong with it. */
const namesOf = (
  { source, tags }: typeof WrittenPush.Type,
  target: ImageReference.ImageReference
): Effect.Effect<Arr.NonEmptyReadonlyArray<ImageReference.ImageReference>, string> => {
  if (tags !== undefined && Option.isSome(target.tag)) {
    return Effect.fail("this target has a tag already; remove it there, or remove tags")
  }
  const names: Effect.Effect<Arr.NonEmptyReadonlyArray<ImageReference.ImageReference>, unknown> = tags === undefined
    ? Effect.map(PushTarget.withTagOf(target, source), Arr.of)
    : Effect.forEach(tags, (tag) => ImageReference.withTag(target, tag))
  return Effect.mapError(names, () => "the source's name for the image is no tag; write a tag, as in @prod/app:1")
}

/** A push with all its names: targets × tags. */
export const Push = Schema.transformOrFail(WrittenPush, FilePush, {
  strict: true,
  decode: (push, _, ast) =>
    Effect.mapBoth(
      Effect.forEach(push.to, ({ reference }) => namesOf(push, reference)),
      {
        onFailure: (message) => new ParseResult.Pointer("to", push, new ParseResult.Type(ast, push.to, message)),
        onSuccess: (names) => ({
          source: push.source,
          targets: Arr.flatten(names),
          registries: Arr.dedupe(Arr.getSomes(push.to.map(({ registry }) => registry)))
        })
      }
    ),
  encode: ({ source, targets }) =>
    ParseResult.succeed({ source, to: Arr.map(targets, (reference) => ({ reference, registry: Option.none() })) })
})

export type Push = typeof Push.Type

export const Pushes = Schema.Array(Push).annotations({
  description: "a list of pushes, as in - { source: app:1, to: ghcr.io/acme/app }"
})

export type { FileConnector } from "./connectorSchema.ts"

const section = <A, I, R>(schema: Schema.Schema<A, I, R>, none: () => NoInfer<A>) =>
  Schema.optionalWith(schema, { exact: true, default: none })

export const GantryFile = Schema.Struct({
  version: Schema.Literal(1).annotations({ description: "the version of this format, which is 1" }),
  registries: section(
    Schema.Record({ key: Name, value: FileRegistry }).annotations({
      description: "registries by name, as in prod: { uri: ghcr.io/acme }"
    }),
    () => ({})
  ),
  secrets: section(
    Schema.Record({ key: Name, value: FileSecret }).annotations({
      description: "secrets by name, as in ghcr: { username: bot, password: { env: GHCR_TOKEN } }"
    }),
    () => ({})
  ),
  connectors: section(
    Schema.Record({ key: Name, value: FileConnector }).annotations({
      description: "connectors by name, as in ecr: { type: aws, method: profile, profile: ci }"
    }),
    () => ({})
  ),
  pushes: section(Pushes, () => [])
}).annotations({ identifier: "GantryFile", description: "a mapping that begins with version: 1" })

export type GantryFile = typeof GantryFile.Type
