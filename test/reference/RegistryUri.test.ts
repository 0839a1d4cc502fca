import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"
import * as arbitraries from "../../src/testing/Arbitraries.ts"
import { countSteps, hostileTexts } from "../support/countSteps.ts"

const failure = (text: string): RegistryUri.InvalidRegistryUri =>
  Either.match(RegistryUri.parse(text), {
    onLeft: (error) => error,
    onRight: (uri) => assert.fail(`${text} was accepted as ${uri}`)
  })

describe("RegistryUri.parse", () => {
  it("tolerates schemes and slashes at the end, and makes hosts lower case", () => {
    const vectors: ReadonlyArray<readonly [text: string, host: string, path: string]> = [
      ["gcr.io/p///", "gcr.io", "p"],
      ["reg.io", "reg.io", ""],
      ["reg.io/", "reg.io", ""],
      ["Reg.IO:443/team/app", "reg.io:443", "team/app"],
      ["https://reg.io/team/", "reg.io", "team"],
      ["HTTPS://REG.io", "reg.io", ""],
      ["http://localhost:5000", "localhost:5000", ""],
      ["localhost", "localhost", ""],
      ["[::1]:5000/x", "[::1]:5000", "x"],
      ["https://eu.gcr.io/p/x", "eu.gcr.io", "p/x"]
    ]
    for (const [text, host, path] of vectors) {
      const uri = RegistryUri.unsafeParse(text)
      assert.deepStrictEqual([uri.host, uri.path], [host, path], text)
      assert.strictEqual(uri.name, path === "" ? host : `${host}/${path}`)
      assert.strictEqual(uri.plainHttp, text.startsWith("http://"))
    }
  })

  it("takes Docker Hub's names and bare accounts for one host", () => {
    const vectors: ReadonlyArray<readonly [text: string, uri: string]> = [
      ["docker.io", "docker.io"],
      ["index.docker.io", "docker.io"],
      ["https://index.docker.io/v1/", "docker.io"],
      ["registry-1.docker.io/me", "docker.io/me"],
      ["my-account", "docker.io/my-account"],
      ["my-account/", "docker.io/my-account"],
      ["me/project", "docker.io/me/project"],
      ["docker.io/v1", "docker.io/v1"]
    ]
    for (const [text, uri] of vectors) assert.strictEqual(String(RegistryUri.unsafeParse(text)), uri, text)
    assert.isTrue(Equal.equals(RegistryUri.unsafeParse("me"), RegistryUri.unsafeParse("https://Index.Docker.io/me/")))
  })

  it("keeps that a registry is spoken to over plain http", () => {
    const plain = RegistryUri.unsafeParse("http://reg.io/x/")
    assert.strictEqual(plain.toString(), "http://reg.io/x")
    assert.strictEqual(plain.name, "reg.io/x")
    assert.isFalse(Equal.equals(plain, RegistryUri.unsafeParse("https://reg.io/x")))
    assert.isTrue(Equal.equals(RegistryUri.unsafeParse("https://reg.io/x"), RegistryUri.unsafeParse("reg.io/x")))
  })

  it("says where a text is no registry URI", () => {
    const vectors: ReadonlyArray<readonly [text: string, position: number, expected: RegExp]> = [
      ["", 0, /a host or the name/],
      ["///", 0, /a host or the name/],
      ["https://", 8, /a host or the name/],
      ["oci://reg.io", 0, /https:\/\/, http:\/\/ or no scheme/],
      ["://reg.io", 0, /start and end of each part/],
      ["https://registry/x", 8, /a host with a dot or a port/],
      ["https://user:pw@reg.io", 8, /no user and password/],
      ["token@reg.io", 0, /no user and password/],
      [" reg.io", 0, /host of letters/],
      ["reg.io\n", 6, /host of letters/],
      ["reg_1.io", 3, /host of letters/],
      ["::1", 0, /start and end of each part/],
      ["reg.io//x", 7, /before the slash/],
      ["reg.io/Team", 7, /no upper case/],
      ["reg.io/app:1", 10, /lower-case letters, digits/],
      [`reg.io/app@sha256:${"0".repeat(64)}`, 10, /lower-case letters, digits/],
      ["reg.io/app?x=1", 10, /lower-case letters, digits/],
      ["reg.io?x=1", 6, /host of letters/],
      [`reg.io/${"a".repeat(256)}`, 262, /at most 255 characters/],
      [`a${"/a".repeat(40)}\n`, 81, /lower-case letters, digits/]
    ]
    for (const [text, position, expected] of vectors) {
      const error = failure(text)
      assert.deepStrictEqual(
        [error._tag, error.position],
        ["InvalidRegistryUri", position],
        `${text}: ${error.message}`
      )
      assert.match(error.expected, expected, text)
      assert.isFalse(error.isRetryable)
    }
    assert.strictEqual(
      failure("reg.io/app:1").message,
      '"reg.io/app:1" is not a registry URI: expected lower-case letters, digits, "/", ".", "_" and "-" at offset 10. Write it as host[:port][/path], or the name of a Docker Hub account.'
    )
  })

  it("repeats no password and no query of a URL", () => {
    for (const text of [
      "https://user:s3cret@reg.io/x",
      "https://s3cret@reg.io",
      "https://user:s3/cr@s3cret@reg.io/x",
      "https://reg.io/x?token=s3cret",
      "https://reg.io/x?user=a@s3cret"
    ]) {
      const error = failure(text)
      assert.notInclude(inspect(error) + JSON.stringify(error) + error.message, "s3cret", text)
    }
  })

  it.prop("never throws, whatever the text", [FastCheck.string({ unit: "binary" })], ([text]) => {
    Either.match(RegistryUri.parse(text), {
      onLeft: (error) => assert.isTrue(error.position <= text.length && error.message.length > 0),
      onRight: (uri) => assert.isFalse(/\s/.test(uri.toString()))
    })
  })

  it.prop("reads back what it prints, and is a string in files", [arbitraries.registryUri], ([uri]) => {
    assert.isTrue(Equal.equals(RegistryUri.unsafeParse(uri.toString()), uri))
    assert.isTrue(RegistryUri.isRegistryUri(uri))
    const encoded = Schema.encodeSync(RegistryUri.FromString)(uri)
    assert.isTrue(Equal.equals(Schema.decodeSync(RegistryUri.FromString)(encoded), uri))
  })

  it("looks at each character a bounded number of times", () => {
    for (const [name, hostile] of Object.entries(hostileTexts)) {
      const steps = (length: number) => {
        const text = hostile(length)
        return countSteps(() => void RegistryUri.parse(text))
      }
      assert.isAtMost(steps(7200), 2 * steps(3600), name)
    }
  })
})

describe("RegistryUri.owns", () => {
  const owns = (uri: string, image: string): boolean =>
    RegistryUri.owns(RegistryUri.unsafeParse(uri), ImageReference.unsafeParse(image))

  it("compares hosts and whole path segments", () => {
    assert.isTrue(owns("reg.io/foo", "reg.io/foo/x:1"))
    assert.isTrue(owns("reg.io/foo", "reg.io/foo:1"))
    assert.isTrue(owns("reg.io", "reg.io/foo/x:1"))
    assert.isTrue(owns("https://Reg.io/foo/", "REG.io/foo/x:1"))
    assert.isFalse(owns("reg.io/foo", "reg.io/foobar/x:1"))
    assert.isFalse(owns("reg.io/foo/bar", "reg.io/foo:1"))
    assert.isFalse(owns("reg.io/foo", "other.io/foo/x:1"))
    assert.isFalse(owns("localhost:5000", "localhost:50001/x:1"))
    assert.isFalse(owns("localhost", "localhost:5000/x:1"))
  })

  it("knows Docker Hub under all its names, on both sides", () => {
    for (const uri of ["docker.io/me", "me", "index.docker.io/me", "https://registry-1.docker.io/me"]) {
      for (const image of ["me/x:1", "docker.io/me/x:1", "index.docker.io/me/x", "registry-1.docker.io/me/x"]) {
        assert.isTrue(owns(uri, image), `${uri} ${image}`)
      }
      assert.isFalse(owns(uri, "mee/x:1"))
    }
    assert.isTrue(owns("docker.io", "docker.io/me/x:1"))
    assert.isTrue(owns("docker.io", "alpine"))
    assert.isTrue(owns("library", "alpine"))
    assert.isFalse(owns("reg.io", "alpine"))
  })

  it("takes the image alone, for a pipe", () => {
    const image = ImageReference.unsafeParse("reg.io/foo/x")
    const uris = ["reg.io/foo", "reg.io/foobar"].map(RegistryUri.unsafeParse)
    assert.deepStrictEqual(uris.map(RegistryUri.owns(image)), [true, false])
  })

  it.prop("owns what is named below it", [arbitraries.registryUri, arbitraries.repository], ([uri, repository]) => {
    assert.isTrue(RegistryUri.owns(uri, ImageReference.unsafeParse(`${uri.name}/${repository}`)))
  })
})

describe("RegistryUri.isLocal", () => {
  const isLocal = (text: string): boolean => RegistryUri.isLocal(RegistryUri.unsafeParse(text))

  it("is localhost, names below it and loopback addresses, at any port and path", () => {
    for (const text of [
      "localhost",
      "localhost:80",
      "localhost:5000/x",
      "http://localhost:5000",
      "LOCALHOST:99999",
      "k3d-r.localhost:5000",
      "127.0.0.1",
      "127.0.0.1:5000",
      "127.255.3.4:1/x",
      "[::1]",
      "[::1]:5000",
      "[0:0:0:0:0:0:0:1]:5000"
    ]) {
      assert.isTrue(isLocal(text), text)
    }
  })

  it("is no other host", () => {
    for (const text of [
      "reg.io",
      "my-account",
      "localhost.example.com",
      "notlocalhost:5000",
      "host.docker.internal:5000",
      "127.0.0.1.example.com",
      "127.0.0.256:5000",
      "128.0.0.1:5000",
      "[::2]:5000",
      "10.0.0.1:5000"
    ]) {
      assert.isFalse(isLocal(text), text)
    }
  })
})
