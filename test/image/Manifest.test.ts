import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Descriptor from "../../src/image/Descriptor.ts"
import * as Manifest from "../../src/image/Manifest.ts"

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const entry = (letter: string, more: object = {}) => ({
  mediaType: "application/octet-stream",
  digest: digest(letter),
  size: 3,
  ...more
})
const image = { schemaVersion: 2, config: entry("a"), layers: [entry("b"), entry("c")] }
const index = {
  schemaVersion: 2,
  mediaType: Manifest.MediaType.ociIndex,
  manifests: [entry("d", { platform: { os: "linux", architecture: "arm", variant: "v7", "os.features": ["x"] } })]
}
const read = (value: unknown) => Manifest.decode(JSON.stringify(value))

describe("Manifest.decode", () => {
  it("reads an image's config and layers in order", () => {
    const manifest = Either.getOrThrow(read(image))
    assert.isFalse(Manifest.isIndex(manifest))
    assert.deepStrictEqual(
      Manifest.isIndex(manifest) ? [] : [manifest.config, ...manifest.layers].map((each) => String(each.digest)),
      [digest("a"), digest("b"), digest("c")]
    )
  })

  it("reads an index with its platforms", () => {
    const manifest = Either.getOrThrow(read(index))
    assert.deepStrictEqual(
      Manifest.isIndex(manifest) ? manifest.manifests.map(({ platform }) => String(platform)) : [],
      ["linux/arm/v7"]
    )
  })

  it("knows what a manifest is that does not say", () => {
    const { mediaType: _, ...bare } = index
    assert.strictEqual(Manifest.mediaTypeOf(Either.getOrThrow(read(image))), Manifest.MediaType.ociManifest)
    assert.strictEqual(Manifest.mediaTypeOf(Either.getOrThrow(read(bare))), Manifest.MediaType.ociIndex)
    const docker = { ...image, mediaType: Manifest.MediaType.dockerManifest }
    assert.strictEqual(Manifest.mediaTypeOf(Either.getOrThrow(read(docker))), Manifest.MediaType.dockerManifest)
  })

  const refused: Readonly<Record<string, unknown>> = {
    "an image that is an index too": { ...image, manifests: [] },
    "an index that is an image too": { ...index, layers: [] },
    "an image that says it is an index": { ...image, mediaType: Manifest.MediaType.ociIndex },
    "schema 1": { schemaVersion: 1, fsLayers: [] },
    "a digest that is none": { ...image, config: entry("a", { digest: "sha256:abc" }) },
    "a negative size": { ...image, config: entry("a", { size: -1 }) },
    "no layers": { schemaVersion: 2, config: entry("a") },
    "a number": 7
  }
  for (const [what, value] of Object.entries(refused)) {
    it(`refuses ${what}`, () => assert.isTrue(Either.isLeft(read(value))))
  }

  it("ends in a manifest or a typed error for any text", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.string(), FastCheck.json()), (text) => {
        const result = Manifest.decode(text)
        if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "ParseError")
      })
    )
  })
})

describe("Descriptor.fromBytes", () => {
  // The digests of the empty text, as sha256sum and sha512sum print them.
  it("has the digest and size of the bytes", () => {
    const empty = Descriptor.fromBytes({ mediaType: "text/plain", body: new Uint8Array() })
    assert.strictEqual(String(empty.digest), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert.strictEqual(empty.size, 0)
    const long = Descriptor.fromBytes({ mediaType: "text/plain", body: new Uint8Array(3), algorithm: "sha512" })
    assert.strictEqual(long.digest.algorithm, "sha512")
    assert.strictEqual(long.digest.encoded.length, 128)
    assert.strictEqual(long.size, 3)
  })
})
