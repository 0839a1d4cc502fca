import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { EngineRejected } from "../../src/engine/EngineError.ts"
import * as ImageSource from "../../src/image/ImageSource.ts"
import { isPushError, type PushError } from "../../src/push/PushError.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { classify } from "../../src/transport/internal/engineMessage.ts"
import type { Row } from "../../src/transport/internal/engineMessageRow.ts"
import { table } from "../../src/transport/internal/engineMessageTable.ts"
import { read } from "../../src/transport/internal/engineWords.ts"
import { countSteps } from "../support/countSteps.ts"
import { headingOf, messageOf, recordings } from "../support/engineRecordings.ts"

const target = ImageReference.unsafeParse("registry.example:5000/team/app:v1")
const about = { target, source: ImageSource.docker(ImageReference.unsafeParse("local/app")) }

const meaningOf = (text: string, status = 200): PushError => classify(new EngineRejected({ status, text }), about)

/** An error's tag, with its reason and the registry's status where it has them. */
const summary = (error: PushError): string =>
  [
    error._tag,
    "reason" in error ? error.reason : undefined,
    "status" in error && error._tag !== "EngineRejected" ? error.status : undefined
  ]
    .filter((part) => part !== undefined)
    .join(" ")

interface Evidence {
  readonly status: number
  readonly text: string
}

const evidenceOf = ({ provenance }: Row): ReadonlyArray<Evidence> =>
  provenance._tag === "Recorded"
    ? provenance.fixtures.map((name) => {
        const recording = recordings.find((recording) => recording.name === name)
        if (recording === undefined) throw new Error(`there is no recording ${name}`)
        return { status: recording.httpStatus, text: messageOf(recording) ?? "" }
      })
    : provenance.examples.map((text) => ({ status: 200, text }))

const firstMatch = (rows: ReadonlyArray<Row>, evidence: Evidence): Row | undefined => {
  const message = read(evidence)
  return rows.find((row) => row.matches(message))
}

const told = ({ status, text }: Evidence) => ({ ...about, message: read({ status, text }), text })

/** Nobody recorded these: what they mean is said here, apart from the table. */
const unrecorded: Readonly<Record<string, string>> = {
  "manifest for registry.example/app:v1 not found: manifest unknown: manifest unknown": "ImageNotFound",
  "pull access denied for registry.example/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied":
    "RegistryDenied",
  'Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: no route to host':
    "RegistryUnavailable refused",
  'Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: network is unreachable':
    "RegistryUnavailable refused",
  'Get "https://registry.example/v2/": net/http: TLS handshake timeout': "RegistryUnavailable timeout",
  'failed to do request: Head "https://registry.example/v2/a/blobs/sha256:00": dial tcp 192.0.2.1:443: i/o timeout':
    "RegistryUnavailable timeout",
  "read tcp 192.0.2.2:34236->192.0.2.1:443: read: connection timed out": "RegistryUnavailable timeout",
  'Get "https://registry.example/v2/": proxyconnect tcp: dial tcp 192.0.2.9:3128: connect: connection refused':
    "RegistryUnavailable proxy",
  "No such image: registry.example/app:v1": "ImageNotFound",
  "name invalid: invalid repository name": "InvalidImageReference",
  [`invalid repository name (${"a".repeat(64)}), cannot specify 64-byte hexadecimal strings`]: "InvalidImageReference",
  "push access denied, repository does not exist or may require authorization: server message: invalid_token: authorization failed":
    "RegistryUnauthorized",
  "error from registry: HTTP Basic: Access denied": "RegistryUnauthorized",
  "error from registry: authentication required, visit https://aka.ms/acr/authorization for more information.":
    "RegistryUnauthorized",
  "error from registry: access forbidden": "RegistryDenied",
  "error from registry: registry contains 1 repositories, limit is 1": "RegistryDenied",
  "error from registry: You have reached your pull rate limit.": "RegistryRateLimited",
  "error from registry: You have reached your unauthenticated pull rate limit.": "RegistryRateLimited"
}

/** Messages whose parts were recorded or documented, in an order nobody has recorded. */
const combined: Readonly<Record<string, string>> = {
  // https://github.com/containerd/containerd/blob/v1.7.28/remotes/docker/authorizer.go
  "failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://auth.example/token: 401 Unauthorized":
    "RegistryUnauthorized 401",
  "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.example/token?scope=a: 503 Service Unavailable":
    "RegistryUnavailable status 503",
  // Go 1.20 and later say who found the certificate wrong.
  'Get "https://registry.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority':
    "RegistryUnavailable certificate",
  'Patch "https://registry.example/v2/app/blobs/uploads/1": unexpected EOF': "RegistryUnavailable reset",
  'Put "https://registry.example/v2/app/blobs/uploads/1": write tcp 192.0.2.2:1->192.0.2.1:443: write: broken pipe':
    "RegistryUnavailable reset",
  "unauthorized: project library not found": "RegistryUnauthorized",
  "denied: unauthorized: toomanyrequests: 429": "RegistryDenied",
  "unknown: unknown error": "RegistryUnavailable status",
  "size invalid: provided length did not match content length": "RegistryRejected",
  "error from registry: blob upload invalid": "RegistryRejected",
  "manifest unverified: manifest failed signature verification": "ManifestRejected invalid",
  "unexpected status from PUT request to https://registry.example/v2/app/manifests/v1: 412 Precondition Failed":
    "RegistryRejected 412"
}

/** Words that must not be taken for what they look like. */
const unknownTexts = [
  "",
  "EOF",
  "it gave no reason",
  "Bad parameters and missing X-Registry-Auth: EOF",
  "unknown: no code here",
  "Bad Gateway",
  "error from registry: Forbidden",
  "failed to copy: EOF",
  "access to the resource was denied",
  "the token is unauthorized",
  "429",
  "unexpected status from PUT request to https://registry.example/v2/app/manifests/v1: 307 Temporary Redirect",
  "error from registry: zugriff verweigert: größe überschritten 超過",
  'Put "https://registry.example/v2/app/manifests/v1": context canceled'
]

const keywords = [
  "denied",
  "unauthorized",
  "toomanyrequests",
  "429",
  "403",
  "401",
  "503",
  "404",
  "413",
  "eof",
  "x509",
  "unknown",
  "unavailable",
  "unsupported",
  "name-unknown",
  "tag.invalid",
  "manifest_invalid",
  "blob-unknown",
  "connection-refused",
  "no-such-host",
  "insufficient_scope",
  "immutable",
  "rate-exceeded",
  "context-canceled",
  "errors",
  "writing",
  "v1"
]

const keyword = FastCheck.constantFrom(...keywords)
const hostileName = FastCheck.array(keyword, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))
const hostileTag = FastCheck.oneof(keyword, FastCheck.constantFrom("EOF", "Forbidden", "429", "DENIED"))
const hostileHost = FastCheck.tuple(
  FastCheck.constantFrom("denied", "eof", "x509", "unauthorized", "429", "toomanyrequests"),
  FastCheck.constantFrom(".example", ".example:429", ":403", ":5000")
).map((parts) => parts.join(""))

const hostile = FastCheck.record({ host: hostileHost, name: hostileName, tag: hostileTag })
type Hostile = typeof hostile extends FastCheck.Arbitrary<infer Names> ? Names : never

/** Every recorded message that says where it went, with the names taken out. */
const namedMessages = recordings.flatMap((recording) => {
  const text = messageOf(recording)
  const heading = headingOf(recording)?.replace(/:v1$/, "")
  if (text === undefined || heading === undefined) return []
  const slash = heading.indexOf("/")
  const [host, name] = [heading.slice(0, slash), heading.slice(slash + 1)]
  // `r`, as one repository is called, is in every other word.
  if (!name.includes("/")) return []
  const render = (names: Hostile) =>
    text
      .replaceAll(name, names.name)
      .replaceAll(host, names.host)
      .replaceAll(/(?<=manifests\/|manifest-|manifest |tag '|tag |:)v1\b/g, () => names.tag)
  return [{ status: recording.httpStatus, text, render }]
})

/** Messages whose names stand alone, in the registry's own words or in the engine's. */
const namingMessages: ReadonlyArray<readonly [string, (names: Hostile) => string]> = [
  ["RepositoryNotFound", ({ name }) => `error from registry: Repository "${name}" not found`],
  ["RepositoryNotFound", ({ name }) => `unknown: project ${name} not found`],
  ["ImageNotFound", ({ name }) => `An image does not exist locally with the tag: ${name}`],
  ["ImageNotFound", ({ name, tag }) => `tag does not exist: ${name}:${tag}`],
  ["ImageNotFound", ({ name, tag }) => `failed to find image ${name}:${tag}: ${name}:${tag}: image not known`],
  [
    "ImageNotFound",
    ({ name, tag }) =>
      `image with reference ${name}:${tag} was found but does not provide the specified platform (linux/arm64)`
  ],
  ["EngineRejected", ({ host, name, tag }) => `something new happened to ${host}/${name}:${tag}`],
  ["EngineRejected", ({ host, name, tag }) => `${host}/${name}:${tag}: something new happened`],
  ["EngineRejected", ({ host, name, tag }) => `something new: Put "https://${host}/v2/${name}/manifests/${tag}": EOF`],
  ["EngineRejected", ({ host, name, tag }) => `error from registry: ${host}: "${name}": ${tag}`]
]

const texts = FastCheck.oneof(
  FastCheck.string({ unit: "grapheme" }),
  FastCheck.string({ unit: "binary", maxLength: 200 }),
  FastCheck.array(
    FastCheck.oneof(FastCheck.constantFrom(...namedMessages.map(({ text }) => text)), FastCheck.string(), keyword)
  ).map((parts) => parts.join(": ")),
  FastCheck.tuple(FastCheck.constantFrom(...namedMessages.map(({ text }) => text)), FastCheck.nat(200)).map(
    ([text, length]) => text.slice(0, length)
  )
)

describe("the table of engine messages", () => {
  for (const [index, row] of table.entries()) {
    const { provenance } = row
    const witness = provenance._tag === "Recorded" ? provenance.fixtures[0] : provenance.examples[0]

    it(`has a row ${index} that decides what it stands for, beginning with: ${witness}`, () => {
      const evidence = evidenceOf(row)
      assert.isAbove(evidence.length, 0)
      for (const one of evidence) assert.strictEqual(firstMatch(table, one), row, one.text)
    })

    it(`needs row ${index}: ${witness}`, () => {
      const others = table.filter((other) => other !== row)
      const isDecisive = (one: Evidence) => {
        const without = firstMatch(others, one)?.toError(told(one))
        return without === undefined || summary(without) !== summary(row.toError(told(one)))
      }
      assert.isTrue(evidenceOf(row).some(isDecisive))
    })
  }

  it("gives what nobody recorded its documented meaning", () => {
    const examples = table.flatMap(({ provenance }) => (provenance._tag === "Recorded" ? [] : provenance.examples))
    assert.sameMembers(Object.keys(unrecorded), Array.from(examples))
    for (const [text, expected] of Object.entries(unrecorded)) {
      assert.strictEqual(summary(meaningOf(text)), expected, text)
    }
  })

  it("reads a message through everything that stands in front of it", () => {
    for (const [text, expected] of Object.entries(combined)) {
      assert.strictEqual(summary(meaningOf(text)), expected, text)
    }
  })

  it("leaves what it does not know to the engine, with the text", () => {
    for (const text of unknownTexts) {
      assert.deepStrictEqual(meaningOf(text, 500), new EngineRejected({ status: 500, text }), text)
    }
  })
})

describe("classify", () => {
  it("says which registry, repository and status a refusal is about", () => {
    const text = "unknown: unexpected status from HEAD request to http://registry.example:5000/v2/a/b: 403 Forbidden"
    const denied = meaningOf(text)
    if (denied._tag !== "RegistryDenied") assert.fail(denied._tag)
    assert.deepStrictEqual(
      { registry: denied.registry, repository: denied.repository, status: denied.status, text: denied.text },
      { registry: "registry.example:5000", repository: "team/app", status: 403, text }
    )
  })

  it("says which tag is immutable", () => {
    const error = meaningOf("manifest invalid: cannot update tag v1. The repository has enabled tag immutability")
    if (error._tag !== "TagImmutable") assert.fail(error._tag)
    assert.strictEqual(error.tag, "v1")
  })

  it("names the source, not the target, when the image is not there", () => {
    const error = meaningOf("tag does not exist: registry.example:5000/team/app:v1")
    if (error._tag !== "ImageNotFound") assert.fail(error._tag)
    assert.strictEqual(error.image, "local/app:latest")
    assert.strictEqual(error.where, "the engine")
  })

  it("tells a missing platform from a missing image", () => {
    const error = meaningOf(
      "image with reference a was found but does not provide the specified platform (linux/arm64)"
    )
    assert.include(error.message, "another platform")
  })

  it("names the target when its name is refused", () => {
    const error = meaningOf("invalid tag format", 400)
    if (error._tag !== "InvalidImageReference") assert.fail(error._tag)
    assert.strictEqual(error.input, String(target))
    assert.include(error.message, "invalid tag format")
  })

  it("takes a lost answer to the manifest for a broken connection, on every engine that loses one", () => {
    for (const text of [
      'Put "http://127.0.0.1:6228/v2/mputlost/app/manifests/v1": EOF',
      'failed commit on ref "manifest-v1@sha256:57b8": failed to do request: Put "https://127.0.0.1:6225/v2/mputlost/app/manifests/v1": EOF',
      'Put "http://127.0.0.1:6226/v2/a/manifests/v1": read tcp 127.0.0.1:34236->127.0.0.1:6226: read: connection reset by peer'
    ]) {
      assert.strictEqual(summary(meaningOf(text)), "RegistryUnavailable reset")
    }
  })

  it("keeps its meaning when hosts, repositories and tags are called like codes and statuses", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...namedMessages), hostile, ({ render, status, text }, names) => {
        assert.strictEqual(summary(meaningOf(render(names), status)), summary(meaningOf(text, status)), render(names))
      }),
      { numRuns: 2000 }
    )
  })

  it("takes no name for a meaning, where names stand alone", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...namingMessages), hostile, ([expected, render], names) => {
        assert.strictEqual(summary(meaningOf(render(names))), expected, render(names))
      }),
      { numRuns: 1000 }
    )
  })

  it("answers any text with an error of a push", () => {
    FastCheck.assert(
      FastCheck.property(texts, FastCheck.nat(599), (text, status) => {
        const error = meaningOf(text, status)
        assert.isTrue(isPushError(error))
        assert.isString(error.message)
      })
    )
  })

  it("repeats no query and no password of a URL, whatever the error", () => {
    const secret = FastCheck.stringMatching(/^[A-Za-z0-9%&=._~-]{8,40}$/)
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...namedMessages), secret, ({ render, status, text }, query) => {
        const url = `https://user:${query}@h.example/p?sig=${query}`
        const names = { host: "h.example", name: `p?X-Amz-Signature=${query}`, tag: "v1" }
        for (const one of [`${text} ${url}`, `${url}: ${text}`, render(names)]) {
          const error = meaningOf(one, status)
          assert.notInclude(JSON.stringify({ ...error, message: error.message }), query)
        }
      })
    )
  })

  it("keeps at most 2,000 characters of a page", () => {
    const error = meaningOf(`error parsing HTTP 403 response body: invalid character '<': "${"<p>".repeat(200_000)}"`)
    if (error._tag !== "RegistryDenied") assert.fail(error._tag)
    assert.isAtMost(error.text.length, 2000)
  })

  it("looks at twice a text's length in at most twice the steps", () => {
    const hard = [
      (length: number) => "errors:\n".repeat(length / 8),
      (length: number) => "unknown: ".repeat(length / 9),
      (length: number) => `initiating layer upload to ${"/a".repeat(length / 2)}`,
      (length: number) => `Get "${"a".repeat(length)}`,
      (length: number) => `<html>${" ".repeat(length)}`,
      (length: number) => `net/http: request canceled${" a".repeat(length / 2)}`
    ]
    for (const text of hard) {
      const small = countSteps(() => meaningOf(text(150_000)))
      const large = countSteps(() => meaningOf(text(300_000)))
      assert.isAtMost(large, small * 2.1, text(40))
    }
  })
})
