import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ImageSource from "../../src/image/ImageSource.ts"
import * as PushTarget from "../../src/push/PushTarget.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"

const registries = {
  prod: { uri: RegistryUri.unsafeParse("acme.azurecr.io/team") },
  mirror: { uri: RegistryUri.unsafeParse("ghcr.io/acme") },
  other: { uri: RegistryUri.unsafeParse("ghcr.io/other") },
  hub: { uri: RegistryUri.unsafeParse("acme") }
}

const print = Either.map(String)
const source = (text: string) => Either.getOrThrow(ImageSource.parse(text))

describe("PushTarget", () => {
  describe("parse", () => {
    it("puts a registry's address in the place of its name", () => {
      assert.deepStrictEqual(
        print(PushTarget.parse("@prod/app:1", registries)),
        Either.right("acme.azurecr.io/team/app:1")
      )
      assert.deepStrictEqual(print(PushTarget.parse("@hub/app", registries)), Either.right("docker.io/acme/app"))
    })

    it("takes everything else as a reference", () => {
      assert.deepStrictEqual(print(PushTarget.parse("prod/app:1", registries)), Either.right("docker.io/prod/app:1"))
    })

    it("names the nearest registry for a name that nobody has", () => {
      const failure = Either.flip(PushTarget.parse("@prd/app", registries))
      assert.strictEqual(
        Either.getOrThrow(failure).message,
        'There is no registry "prd": the names are hub, mirror, other, prod (did you mean @prod?); write one of them, or add it under registries.'
      )
    })

    it("says where names come from when there are none, and knows no property of objects", () => {
      const failure = Either.getOrThrow(Either.flip(PushTarget.parse("@constructor/app", {})))
      assert.strictEqual(failure._tag, "RegistryNotInFile")
      assert.include(failure.message, "gantry.yaml")
    })

    it("counts the offset of a mistake in the text as it was written", () => {
      const failure = Either.getOrThrow(Either.flip(PushTarget.parse("@prod/App:1", registries)))
      assert.deepInclude(failure, { _tag: "InvalidImageReference", input: "@prod/App:1", position: 6 })
    })

    it("refuses a name without a repository, and a digest", () => {
      const digest = `sha256:${"0".repeat(64)}`
      for (const text of ["@prod", "@prod/", "@prod:1", "@", `@prod/app@${digest}`, `ghcr.io/acme/app@${digest}`]) {
        assert.isTrue(Either.isLeft(PushTarget.parse(text, registries)), text)
      }
    })

    it.prop(
      "ends in a reference or a typed error, whatever the text",
      [FastCheck.string({ unit: "binary" })],
      ([text]) => {
        for (const written of [text, `@${text}`, `@prod/${text}`]) {
          Either.match(PushTarget.parse(written, registries), {
            onLeft: (failure) => assert.include(["RegistryNotInFile", "InvalidImageReference"], failure._tag),
            onRight: (target) => assert.isTrue(ImageReference.isImageReference(target))
          })
        }
      }
    )
  })

  describe("withTagOf", () => {
    const target = ImageReference.unsafeParse("ghcr.io/acme/app")

    it("keeps the target's tag, else takes the source's, else latest", () => {
      const tagged = ImageReference.unsafeParse("ghcr.io/acme/app:own")
      assert.deepStrictEqual(print(PushTarget.withTagOf(tagged, source("app:1"))), Either.right("ghcr.io/acme/app:own"))
      for (const [text, tag] of [
        ["app:1", "1"],
        ["registry://reg.io/app:2", "2"],
        ["oci:./layout#3", "3"],
        ["docker-archive:./file.tar#app:4", "4"],
        ["docker-archive:./file.tar", "latest"],
        ["oci:./layout", "latest"],
        ["app", "latest"]
      ] as const) {
        assert.deepStrictEqual(
          print(PushTarget.withTagOf(target, source(text))),
          Either.right(`ghcr.io/acme/app:${tag}`)
        )
      }
    })

    it("refuses a name within a layout that can not be a tag", () => {
      assert.isTrue(Either.isLeft(PushTarget.withTagOf(target, source("oci:./layout#no tag"))))
    })
  })

  describe("parseRegistry", () => {
    const show = (text: string) =>
      Either.map(PushTarget.parseRegistry(text, registries), (found) =>
        found.map(({ name, uri }) => [Option.getOrNull(name), String(uri)])
      )

    it("takes a name with and without its sign", () => {
      assert.deepStrictEqual(show("@mirror"), Either.right([["mirror", "ghcr.io/acme"]]))
      assert.deepStrictEqual(show("mirror"), Either.right([["mirror", "ghcr.io/acme"]]))
    })

    it("takes a host for every registry of the file on it, and an address for its own", () => {
      assert.deepStrictEqual(
        show("ghcr.io"),
        Either.right([
          ["mirror", "ghcr.io/acme"],
          ["other", "ghcr.io/other"]
        ])
      )
      assert.deepStrictEqual(show("ghcr.io/other"), Either.right([["other", "ghcr.io/other"]]))
    })

    it("takes an address that the file does not have for itself", () => {
      assert.deepStrictEqual(show("ghcr.io/third"), Either.right([[null, "ghcr.io/third"]]))
      assert.deepStrictEqual(show("localhost:5000"), Either.right([[null, "localhost:5000"]]))
      assert.deepStrictEqual(show("localhost"), Either.right([[null, "localhost"]]))
    })

    it("takes a bare word for a misspelt name and not for an account on Docker Hub", () => {
      for (const text of ["mirrr", "@mirrr"]) {
        const failure = Either.getOrThrow(Either.flip(PushTarget.parseRegistry(text, registries)))
        assert.deepInclude(failure, { _tag: "RegistryNotInFile", name: "mirrr" })
        assert.include(failure.message, "did you mean @mirror?")
      }
    })
  })
})
