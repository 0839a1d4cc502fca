import * as FastCheck from "effect/FastCheck"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"

const lower = FastCheck.constantFrom(..."abcdefghijklmnopqrstuvwxyz0123456789")
const word = FastCheck.string({ unit: lower, minLength: 1, maxLength: 6 })
const hex = FastCheck.constantFrom(..."0123456789abcdef")
const joined = (parts: FastCheck.Arbitrary<ReadonlyArray<string>>, separator: string) =>
  parts.map((texts) => texts.join(separator))

const component = FastCheck.tuple(
  word,
  FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(".", "_", "__", "-", "---"), word), { maxLength: 2 })
).map(([first, rest]) => first + rest.map(([separator, next]) => separator + next).join(""))

/** A repository of the grammar, as `team/my_app`. */
export const repository = joined(FastCheck.array(component, { minLength: 1, maxLength: 4 }), "/")

/** A namespace on Docker Hub: a first component that is not read as a host. */
const account = component.filter((text) => !text.includes(".") && text !== "localhost")

const label = FastCheck.tuple(word, FastCheck.constantFrom("", "-", "--"), word).map((parts) => parts.join(""))
const domain = joined(FastCheck.array(label, { minLength: 2, maxLength: 4 }), ".")
const ipv6 = FastCheck.constantFrom("[::1]", "[2001:db8::8a2e]", "[fe80:0:0:0:0:0:0:1]")
const port = FastCheck.option(FastCheck.integer({ min: 1, max: 65535 }), { nil: undefined })
const withPort = ([name, number]: readonly [string, number | undefined]) =>
  number === undefined ? name : `${name}:${number}`

/** A host of the grammar with or without a port, Docker Hub's names among them. */
export const host = FastCheck.oneof(
  FastCheck.constantFrom("docker.io", "index.docker.io", "registry-1.docker.io"),
  FastCheck.tuple(FastCheck.oneof(FastCheck.constantFrom("localhost", "127.0.0.1"), domain, ipv6), port).map(withPort)
)

const wordCharacter = FastCheck.constantFrom(..."abcxyzABCXYZ0189_")
const tagCharacter = FastCheck.oneof(wordCharacter, FastCheck.constantFrom(".", "-"))

/** A tag of the grammar. */
export const tag = FastCheck.tuple(wordCharacter, FastCheck.string({ unit: tagCharacter, maxLength: 127 })).map(
  ([first, rest]) => first + rest
)

/** A digest's text, of each known algorithm. */
export const digestText = FastCheck.constantFrom(
  ["sha256", 64] as const,
  ["sha384", 96] as const,
  ["sha512", 128] as const
).chain(([algorithm, length]) =>
  FastCheck.string({ unit: hex, minLength: length, maxLength: length }).map((encoded) => `${algorithm}:${encoded}`)
)

const onHost = FastCheck.tuple(host, repository).map((parts) => parts.join("/"))
const onDockerHub = FastCheck.oneof(
  component,
  FastCheck.tuple(account, repository).map((parts) => parts.join("/"))
)
const optional = (prefix: string, text: FastCheck.Arbitrary<string>) =>
  FastCheck.option(
    text.map((value) => `${prefix}${value}`),
    { nil: "" }
  )

/** A reference as a person may write it: with or without host, tag and digest. */
export const imageReferenceText = FastCheck.tuple(
  FastCheck.oneof(onHost, onDockerHub),
  optional(":", tag),
  optional("@", digestText)
).map((parts) => parts.join(""))

/** A registry's address as a person may write it: scheme, host or Docker Hub account, path, slashes at the end. */
export const registryUriText = FastCheck.tuple(
  FastCheck.oneof(
    account,
    FastCheck.tuple(FastCheck.constantFrom("", "http://", "https://"), host, optional("/", repository)).map((parts) =>
      parts.join("")
    )
  ),
  FastCheck.constantFrom("", "/", "//")
).map((parts) => parts.join(""))

export const digest: FastCheck.Arbitrary<Digest.Digest> = digestText.map(Digest.unsafeParse)

export const imageReference: FastCheck.Arbitrary<ImageReference.ImageReference> = imageReferenceText.map(
  ImageReference.unsafeParse
)

export const registryUri: FastCheck.Arbitrary<RegistryUri.RegistryUri> = registryUriText.map(RegistryUri.unsafeParse)
