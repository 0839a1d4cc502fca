import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as arbitraries from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const hex = "0123456789abcdef".repeat(4)
const sha256 = `sha256:${hex}`

const canonical = (text: string): string => ImageReference.unsafeParse(text).toString()

const failure = (text: string): ImageReference.InvalidImageReference =>
  Either.match(ImageReference.parse(text), {
    onLeft: (error) => error,
    onRight: (image) => assert.fail(`${text} was accepted as ${image}`)
  })

describe("ImageReference.parse", () => {
  it("finds the host by dot, colon, upper case or localhost, and else takes Docker Hub", () => {
    const vectors: ReadonlyArray<readonly [text: string, registry: string, repository: string]> = [
      ["alpine", "docker.io", "library/alpine"],
      ["team/app", "docker.io", "team/app"],
      ["library/alpine", "docker.io", "library/alpine"],
      ["a/b/c", "docker.io", "a/b/c"],
      ["my_team/app", "docker.io", "my_team/app"],
      ["reg.io/app", "reg.io", "app"],
      ["reg.io/a/b/c/d", "reg.io", "a/b/c/d"],
      ["reg:80/app", "reg:80", "app"],
      ["reg.io:5000/team/app", "reg.io:5000", "team/app"],
      ["localhost/app", "localhost", "app"],
      ["localhost:5000/app", "localhost:5000", "app"],
      ["127.0.0.1:5000/app", "127.0.0.1:5000", "app"],
      ["[::1]:5000/app", "[::1]:5000", "app"],
      ["[2001:db8::1]/team/app", "[2001:db8::1]", "team/app"],
      ["xn--n3h.com/app", "xn--n3h.com", "app"],
      ["TEAM/app", "TEAM", "app"],
      ["localhost", "docker.io", "library/localhost"],
      ["192.168.0.1", "docker.io", "library/192.168.0.1"],
      [`docker.io/${hex}`, "docker.io", `library/${hex}`]
    ]
    for (const [text, registry, repository] of vectors) {
      const image = ImageReference.unsafeParse(text)
      assert.deepStrictEqual([image.registry, image.repository], [registry, repository], text)
      assert.deepStrictEqual(image.tag, Option.none())
      assert.deepStrictEqual(image.digest, Option.none())
      assert.strictEqual(image.name, `${registry}/${repository}`)
    }
  })

  it("makes the spellings of a Docker Hub image one reference", () => {
    const spellings = [
      "alpine:3",
      "library/alpine:3",
      "docker.io/alpine:3",
      "docker.io/library/alpine:3",
      "index.docker.io/alpine:3",
      "index.docker.io/library/alpine:3",
      "registry-1.docker.io/library/alpine:3",
      "Docker.IO/alpine:3"
    ]
    const image = ImageReference.unsafeParse("alpine:3")
    for (const spelling of spellings) {
      const other = ImageReference.unsafeParse(spelling)
      assert.isTrue(Equal.equals(other, image), spelling)
      assert.strictEqual(Hash.hash(other), Hash.hash(image), spelling)
      assert.strictEqual(other.toString(), "docker.io/library/alpine:3")
    }
    assert.isFalse(Equal.equals(image, ImageReference.unsafeParse("alpine:3.1")))
  })

  it("lower-cases a host, but not one that only its upper case tells from a Docker Hub account", () => {
    assert.strictEqual(canonical("Reg.IO:5000/app"), "reg.io:5000/app")
    assert.strictEqual(canonical("LOCALHOST/app"), "localhost/app")
    assert.strictEqual(canonical("[FC00::A]/app"), "[fc00::a]/app")
    assert.strictEqual(canonical("Foo/bar"), "Foo/bar")
  })

  it("reads tag and digest, also both, and never takes a port for a tag", () => {
    const image = ImageReference.unsafeParse(`localhost:5000/team/app:V1_2.3-rc@${sha256}`)
    assert.deepStrictEqual(image.tag, Option.some("V1_2.3-rc"))
    assert.deepStrictEqual(Option.map(image.digest, String), Option.some(sha256))
    assert.deepStrictEqual(ImageReference.unsafeParse("localhost:5000/app").tag, Option.none())
    assert.deepStrictEqual(ImageReference.unsafeParse("localhost:5000").tag, Option.some("5000"))
  })

  it("knows sha256, sha384 and sha512 by their exact lengths", () => {
    for (const [algorithm, length] of [
      ["sha256", 64],
      ["sha384", 96],
      ["sha512", 128]
    ] as const) {
      assert.strictEqual(canonical(`reg.io/app@${algorithm}:${"a".repeat(length)}`).length, 12 + 6 + 1 + length - 1)
      assert.strictEqual(failure(`reg.io/app@${algorithm}:${"a".repeat(length - 1)}`).position, 18 + length - 1)
      assert.strictEqual(failure(`reg.io/app@${algorithm}:${"a".repeat(length + 1)}`).position, 18 + length)
    }
  })

  it("says where a text leaves the grammar", () => {
    const vectors: ReadonlyArray<readonly [text: string, position: number, expected: RegExp]> = [
      ["", 0, /lower-case letter or digit/],
      [" alpine", 0, /lower-case letters, digits/],
      ["alpine ", 6, /lower-case letters, digits/],
      ["alpine\n", 6, /lower-case letters, digits/],
      ["alpine:3 ", 8, /tag of letters/],
      ["team/App", 5, /no upper case/],
      ["alpIne", 3, /no upper case/],
      ["reg.io/", 7, /lower-case letter or digit/],
      ["/app", 0, /before the slash/],
      ["reg.io//app", 7, /before the slash/],
      ["reg.io/team//app", 12, /before the slash/],
      ["reg.io/app/", 11, /lower-case letter or digit/],
      ["-app/x", 0, /separators are/],
      ["team-/x", 5, /before the slash/],
      ["a..b", 2, /separators are/],
      ["a___b", 3, /separators are/],
      ["a_.b", 2, /separators are/],
      ["a-_b", 2, /separators are/],
      ["a_-_b", 2, /separators are/],
      ["a-", 2, /lower-case letter or digit/],
      ["my_host.io/app", 2, /host of letters/],
      ["-reg.io/app", 0, /start and end of each part/],
      ["reg-.io/app", 4, /start and end of each part/],
      ["reg..io/app", 4, /start and end of each part/],
      ["reg.io./app", 7, /start and end of each part/],
      [".reg.io/app", 0, /start and end of each part/],
      [":5000/app", 0, /start and end of each part/],
      ["reg.io:/app", 7, /digits of a port/],
      ["reg.io:80a/app", 9, /digits of a port/],
      ["::1/app", 0, /start and end of each part/],
      ["[::1/app", 4, /closes the IPv6 address/],
      ["[]:80/app", 1, /IPv6 address in hexadecimal/],
      ["[fe80::1%eth0]:80/app", 8, /IPv6 address in hexadecimal/],
      ["[::1]80/app", 5, /a ":" and a port/],
      ["[::1]:/app", 6, /digits of a port/],
      ["app:", 4, /tag of letters/],
      ["app:-x", 4, /starts with a letter/],
      ["app:.x", 4, /starts with a letter/],
      ["app:a+b", 5, /tag of letters/],
      ["app:1:2", 5, /tag of letters/],
      [`app:${"t".repeat(129)}`, 132, /at most 128 characters/],
      ["app@", 4, /digest algorithm/],
      ["app@latest", 4, /digest algorithm/],
      [`app@md5:${hex}`, 4, /digest algorithm/],
      ["app@sha256:", 11, /64 hexadecimal digits/],
      [`app@sha256:${hex.toUpperCase()}`, 21, /lower-case hexadecimal/],
      [`app@${sha256}@${sha256}`, 75, /64 hexadecimal digits/],
      [hex, 0, /not an image id/],
      ["https://reg.io/app", 0, /no scheme/],
      ["app?x=1", 3, /lower-case letters, digits/]
    ]
    for (const [text, position, expected] of vectors) {
      const error = failure(text)
      assert.deepStrictEqual(
        [error._tag, error.position],
        ["InvalidImageReference", position],
        `${text}: ${error.message}`
      )
      assert.match(error.expected, expected, text)
      assert.isFalse(error.isRetryable)
    }
  })

  it("allows a repository of 255 characters and a host beside it, as distribution/reference does since v0.6.0", () => {
    const longest = "a".repeat(255)
    assert.strictEqual(ImageReference.unsafeParse(`registry.example.com/${longest}`).repository, longest)
    assert.strictEqual(failure(`reg.io/${longest}a`).position, 262)
    assert.strictEqual(ImageReference.unsafeParse("a".repeat(247)).repository.length, 255)
    assert.strictEqual(failure(`${"a".repeat(248)}:1`).position, 247)
  })

  it("tells how a reference is written, in a message that quotes control characters", () => {
    assert.strictEqual(
      failure("reg.io/App\n").message,
      '"reg.io/App\\n" is not an image reference: expected a lower-case letter (names below the host have no upper case) at offset 7. Write it as [host[:port]/]repository[:tag][@digest].'
    )
  })

  it("keeps at most 256 characters of a text", () => {
    const error = failure("A".repeat(1_000_000))
    assert.strictEqual(error.input, `${"A".repeat(256)}…`)
    assert.isBelow(error.message.length, 500)
  })

  it("repeats no password and no query of a pasted URL", () => {
    const texts = [
      "https://user:s3cret@reg.io/app",
      "user:s3cret@reg.io/app",
      "s3cret@reg.io/app",
      "https://user:s3cret@reg.io:5000/app:1",
      "user:s3/cret@s3cret@reg.io/app",
      `user:s3cret@reg.io/App@${sha256}`,
      "https://reg.io/app?token=s3cret",
      "https://reg.io/app?user=a@s3cret",
      "https://user:pass?s3cret@reg.io/app",
      "reg.io/app#s3cret",
      "user:s3cret@host://reg.io"
    ]
    for (const text of texts) {
      const error = failure(text)
      assert.notInclude(inspect(error) + JSON.stringify(error) + error.message, "s3cret", text)
      const issue = Schema.decodeUnknownEither(ImageReference.FromString)(text)
      assert.notInclude(String(Either.getOrThrow(Either.flip(issue))), "s3cret", text)
    }
    assert.match(failure("user:s3cret@reg.io/app").message, /without user and password/)
  })

  it.prop("never throws, whatever the text", [FastCheck.string({ unit: "binary" })], ([text]) => {
    Either.match(ImageReference.parse(text), {
      onLeft: (error) => assert.isTrue(error.position <= text.length && error.message.length > 0),
      onRight: (image) => assert.isFalse(/\s/.test(image.toString()))
    })
  })

  it.prop("reads back what it prints", [arbitraries.imageReference], ([image]) => {
    assert.isTrue(Equal.equals(ImageReference.unsafeParse(image.toString()), image))
    assert.isTrue(Equal.equals(ImageReference.unsafeParse(ImageReference.familiar(image)), image))
  })

  it.prop(
    "prints one canonical text that keeps what stands below the host",
    [arbitraries.imageReferenceText],
    ([text]) => {
      const printed = canonical(text)
      assert.strictEqual(canonical(printed), printed)
      assert.isTrue(printed.endsWith(text.slice(text.indexOf("/") + 1)), `${text} -> ${printed}`)
    }
  )

  it("looks at each character a bounded number of times", () => {
    for (const [name, hostile] of Object.entries(hostileTexts)) {
      const steps = (length: number) => {
        const text = hostile(length)
        return countSteps(() => void ImageReference.parse(text))
      }
      const [small, large] = [steps(3600), steps(7200)]
      assert.isAbove(small, 0)
      assert.isAtMost(large, 2 * small, name)
    }
  })
})

describe("ImageReference", () => {
  it("is recognised by its guard and shows as its text", () => {
    const image = ImageReference.unsafeParse("alpine:3")
    assert.isTrue(ImageReference.isImageReference(image))
    assert.isFalse(ImageReference.isImageReference({ registry: "docker.io", repository: "library/alpine" }))
    assert.strictEqual(JSON.stringify({ image }), '{"image":"docker.io/library/alpine:3"}')
    assert.strictEqual(inspect(image), "docker.io/library/alpine:3")
  })

  it("has a familiar form without Docker Hub's host and library", () => {
    const vectors: ReadonlyArray<readonly [text: string, familiar: string]> = [
      ["docker.io/library/alpine:3", "alpine:3"],
      ["docker.io/team/app", "team/app"],
      ["docker.io/library/team/app", "library/team/app"],
      [`alpine@${sha256}`, `alpine@${sha256}`],
      ["reg.io/library/alpine", "reg.io/library/alpine"],
      // Shortened further, these would be read as an image id and as hosts.
      [`docker.io/library/${hex}`, `library/${hex}`],
      ["docker.io/foo.bar/app", "docker.io/foo.bar/app"],
      ["docker.io/localhost/app", "docker.io/localhost/app"]
    ]
    for (const [text, familiar] of vectors) {
      assert.strictEqual(ImageReference.familiar(ImageReference.unsafeParse(text)), familiar)
    }
    assert.strictEqual(ImageReference.familiarName(ImageReference.unsafeParse(`alpine:3@${sha256}`)), "alpine")
  })

  it("takes a tag or a digest beside what it has", () => {
    const image = ImageReference.unsafeParse("reg.io/app:1")
    const digest = Digest.unsafeParse(sha256)
    assert.strictEqual(String(ImageReference.withDigest(image, digest)), `reg.io/app:1@${sha256}`)
    assert.strictEqual(String(ImageReference.withDigest(digest)(image)), `reg.io/app:1@${sha256}`)
    assert.deepStrictEqual(Either.map(ImageReference.withTag(image, "2"), String), Either.right("reg.io/app:2"))
    assert.deepStrictEqual(Either.map(ImageReference.withTag("2")(image), String), Either.right("reg.io/app:2"))
    assert.strictEqual(Either.getOrThrow(Either.flip(ImageReference.withTag(image, "a b"))).position, 1)
    assert.strictEqual(Either.getOrThrow(Either.flip(ImageReference.withTag(image, ""))).position, 0)
  })

  it("is tagged latest by default, unless it has a tag or a digest", () => {
    const withDefaultTag = (text: string) => String(ImageReference.withDefaultTag(ImageReference.unsafeParse(text)))
    assert.strictEqual(withDefaultTag("localhost:5000/app"), "localhost:5000/app:latest")
    assert.strictEqual(withDefaultTag("reg.io/app:1"), "reg.io/app:1")
    assert.strictEqual(withDefaultTag(`reg.io/app@${sha256}`), `reg.io/app@${sha256}`)
  })

  it("is a string in files and events", () => {
    const image = Schema.decodeSync(ImageReference.FromString)("alpine")
    assert.strictEqual(Schema.encodeSync(ImageReference.FromString)(image), "docker.io/library/alpine")
    assert.match(
      String(Either.getOrThrow(Either.flip(Schema.decodeEither(ImageReference.FromString)("a b")))),
      /"a b" is not an image reference: expected .* at offset 1/
    )
  })
})
