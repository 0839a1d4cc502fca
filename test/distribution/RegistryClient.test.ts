import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Credential, CredentialKind, Expiry, usernamePassword } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import type { RegistryRequest, RegistryResponse } from "../../src/distribution/RegistryHttp.ts"
import * as Descriptor from "../../src/image/Descriptor.ts"
import { MediaType } from "../../src/image/Manifest.ts"
import { answer, authorizationOf, bytes, json, network } from "./support.ts"

const host = "registry.test"
const user = Option.some(usernamePassword({ host, username: "dev", password: Redacted.make("dev-password") }))
const withKind = (kind: CredentialKind) => Option.some(new Credential({ host, kind, expiry: Expiry.Never() }))
const identity = withKind(
  CredentialKind.IdentityToken({ username: Option.some("dev"), token: Redacted.make("refresh-token") })
)
const registryToken = withKind(CredentialKind.RegistryToken({ token: Redacted.make("ready-token") }))
const basicOfDev = `Basic ${Encoding.encodeBase64("dev:dev-password")}`

const digest = (letter: string) => `sha256:${letter.repeat(64)}`
const body = bytes(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("a"), size: 2 },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digest("b"), size: 5 }]
  })
)
const described = Descriptor.fromBytes({ mediaType: MediaType.ociManifest, body })
const manifestHeaders = {
  "content-type": MediaType.ociManifest,
  "content-length": String(body.length),
  "docker-content-digest": String(described.digest)
}
const manifestAnswer = answer(200, manifestHeaders, body)

const client = (credential: Option.Option<Credential> = Option.none(), options: { readonly host?: string } = {}) =>
  RegistryClient.make({ host, credential, ...options })

const pathsOf = (requests: ReadonlyArray<RegistryRequest>) => requests.map(({ method, url }) => `${method} ${url.href}`)

const BEARER = `Bearer realm="https://auth.test/token",service="test-service"`

/** A registry that takes `Bearer good`, behind a token server that gives it. */
const bearerRegistry = (response: RegistryResponse = manifestAnswer) =>
  network((request) => {
    if (request.url.host === "auth.test") return json({ token: "good", expires_in: 300 })
    return authorizationOf(request) === "Bearer good"
      ? response
      : answer(401, { "www-authenticate": `${BEARER},scope="repository:acme/app:pull"` })
  })

const basicRegistry = () =>
  network((request) =>
    authorizationOf(request) === basicOfDev ? manifestAnswer : answer(401, { "www-authenticate": `Basic realm="r"` })
  )

describe("RegistryClient asks for a manifest", () => {
  it.scoped("with one request at an open registry, naming every form it can read", () => {
    const { provide, requests } = network(() => manifestAnswer)
    return Effect.gen(function* () {
      const registry = yield* client(user)
      assert.deepStrictEqual(yield* registry.headManifest("acme/app", "1"), Option.some(described))
      assert.deepStrictEqual(pathsOf(requests), ["HEAD https://registry.test/v2/acme/app/manifests/1"])
      assert.strictEqual(requests[0]?.authorization, undefined)
      assert.strictEqual(
        requests[0]?.headers["accept"],
        [MediaType.ociManifest, MediaType.dockerManifest, MediaType.ociIndex, MediaType.dockerManifestList].join(", ")
      )
    }).pipe(provide)
  })

  it.scoped("with a password once it was asked for, and then at once", () => {
    const { provide, requests } = basicRegistry()
    return Effect.gen(function* () {
      const registry = yield* client(user)
      yield* registry.headManifest("acme/app", "1")
      yield* registry.headManifest("acme/app", "1")
      assert.deepStrictEqual(requests.map(authorizationOf), ["", basicOfDev, basicOfDev])
    }).pipe(provide)
  })

  it.scoped("with a token that the next requests use again", () => {
    const { provide, requests } = bearerRegistry()
    return Effect.gen(function* () {
      const registry = yield* client(user)
      yield* registry.headManifest("acme/app", "1")
      yield* registry.getManifest("acme/app", "1")
      assert.deepStrictEqual(pathsOf(requests), [
        "HEAD https://registry.test/v2/acme/app/manifests/1",
        "GET https://auth.test/token?service=test-service&scope=repository%3Aacme%2Fapp%3Apull",
        "HEAD https://registry.test/v2/acme/app/manifests/1",
        "GET https://registry.test/v2/acme/app/manifests/1"
      ])
      assert.strictEqual(authorizationOf(requests[1]), basicOfDev)
    }).pipe(provide)
  })

  it.scoped("at Docker Hub's own host, of which errors speak as docker.io", () => {
    const { provide, requests } = network(() => answer(500))
    return Effect.gen(function* () {
      const registry = yield* client(Option.none(), { host: "docker.io" })
      const error = yield* Effect.flip(registry.headManifest("library/alpine", "3"))
      assert.strictEqual(requests[0]?.url.href, "https://registry-1.docker.io/v2/library/alpine/manifests/3")
      assert.strictEqual("registry" in error && error.registry, "docker.io")
    }).pipe(provide)
  })

  for (const [host, origin] of [
    ["localhost:5000", "http://localhost:5000"],
    ["127.9.9.9:5000", "http://127.9.9.9:5000"],
    ["[::1]:5000", "http://[::1]:5000"],
    ["reg.localhost", "http://reg.localhost"],
    ["10.0.0.1:5000", "https://10.0.0.1:5000"],
    ["localhost.test", "https://localhost.test"]
  ]) {
    it.scoped(`of ${host} at ${origin}`, () => {
      const { provide, requests } = network(() => answer(200))
      return Effect.gen(function* () {
        yield* (yield* client(Option.none(), { host: host ?? "" })).ping
        assert.strictEqual(requests[0]?.url.href, `${origin}/v2/`)
      }).pipe(provide)
    })
  }

  it.scoped("without TLS, or without a look at the certificate, when told so", () => {
    const { provide, requests } = network(() => answer(200))
    return Effect.gen(function* () {
      yield* (yield* RegistryClient.make({ host, tls: "off", credential: Option.none() })).ping
      yield* (yield* RegistryClient.make({ host, tls: "skip-verify", credential: Option.none() })).ping
      yield* (yield* RegistryClient.make({ host, tls: "verify", credential: Option.none() })).ping
      assert.deepStrictEqual(
        requests.map(({ url, verifyCertificate }) => [url.protocol, verifyCertificate]),
        [
          ["http:", true],
          ["https:", false],
          ["https:", true]
        ]
      )
    }).pipe(provide)
  })
})

describe("RegistryClient authenticates again", () => {
  it.scoped("once, when a token is refused before its end", () => {
    let issued = 0
    const { provide, requests } = network((request) => {
      if (request.url.host === "auth.test") {
        issued += 1
        return json({ token: `token-${issued}`, expires_in: 300 })
      }
      return authorizationOf(request) === "Bearer token-2"
        ? manifestAnswer
        : answer(401, { "www-authenticate": `${BEARER},error="invalid_token"` })
    })
    return Effect.gen(function* () {
      const registry = yield* client(user)
      // The first call learns the scheme and its only replay is refused.
      assert.strictEqual((yield* Effect.flip(registry.headManifest("acme/app", "1")))._tag, "RegistryUnauthorized")
      assert.deepStrictEqual(yield* registry.headManifest("acme/app", "1"), Option.some(described))
      assert.deepStrictEqual(
        requests.map((request) => authorizationOf(request).replace(basicOfDev, "dev")),
        ["", "dev", "Bearer token-1", "Bearer token-1", "dev", "Bearer token-2"]
      )
    }).pipe(provide)
  })

  it.scoped("never with the same password", () => {
    const { provide, requests } = network(() => answer(401, { "www-authenticate": `Basic realm="r"` }))
    return Effect.gen(function* () {
      const registry = yield* client(user)
      const head = Effect.flip(registry.headManifest("acme/app", "1"))
      assert.strictEqual((yield* head)._tag, "RegistryUnauthorized")
      assert.strictEqual(requests.length, 2)
      assert.strictEqual((yield* head)._tag, "RegistryUnauthorized")
      assert.strictEqual(requests.length, 3)
    }).pipe(provide)
  })

  it.scoped("with the scope that the registry names first", () => {
    const { provide, requests } = network((request) => {
      if (request.url.host === "auth.test") return json({ token: "good" })
      return authorizationOf(request) === "Bearer good"
        ? answer(200)
        : answer(401, { "www-authenticate": `${BEARER},scope="repository:proxy/app:pull repository:x:pull"` })
    })
    return Effect.gen(function* () {
      yield* Effect.either((yield* client(user)).headManifest("app", "1"))
      assert.deepStrictEqual(requests[1]?.url.searchParams.getAll("scope"), [
        "repository:proxy/app:pull",
        "repository:app:pull",
        "repository:x:pull"
      ])
    }).pipe(provide)
  })

  it.scoped("as /v2/ says, where a 401 elsewhere says nothing", () => {
    const { provide, requests } = network((request) => {
      if (request.url.host === "auth.test") return json({ token: "good" })
      if (authorizationOf(request) === "Bearer good") return manifestAnswer
      return request.url.pathname === "/v2/" ? answer(401, { "www-authenticate": BEARER }) : answer(401)
    })
    return Effect.gen(function* () {
      const registry = yield* client(user)
      assert.deepStrictEqual(yield* registry.headManifest("acme/app", "1"), Option.some(described))
      assert.strictEqual(requests[1]?.url.pathname, "/v2/")
    }).pipe(provide)
  })

  it.scoped("by token rather than by password where both are offered", () => {
    const { provide, requests } = network((request) => {
      if (request.url.host === "auth.test") return json({ token: "good" })
      return authorizationOf(request) === "Bearer good"
        ? manifestAnswer
        : answer(401, { "www-authenticate": [`Basic realm="r"`, BEARER] })
    })
    return Effect.gen(function* () {
      yield* (yield* client(user)).headManifest("acme/app", "1")
      assert.strictEqual(authorizationOf(requests[2]), "Bearer good")
    }).pipe(provide)
  })

  it.scoped("and is refused for a right it lacks, which is no question of who it is", () => {
    const { provide } = network((request) => {
      if (request.url.host === "auth.test") return json({ token: "good" })
      const error = authorizationOf(request) === "" ? "" : `,error="insufficient_scope"`
      return answer(401, { "www-authenticate": `${BEARER}${error}` })
    })
    return Effect.gen(function* () {
      const known = yield* client(user)
      const nobody = yield* client(Option.none())
      assert.strictEqual((yield* Effect.flip(known.openUpload("acme/app")))._tag, "RegistryDenied")
      assert.strictEqual((yield* Effect.flip(nobody.openUpload("acme/app")))._tag, "RegistryUnauthorized")
    }).pipe(provide)
  })

  it.scoped("with an anonymous token where there is no credential", () => {
    const { provide, requests } = bearerRegistry()
    return Effect.gen(function* () {
      const registry = yield* client()
      assert.deepStrictEqual(yield* registry.headManifest("acme/app", "1"), Option.some(described))
      assert.strictEqual(requests[1]?.authorization, undefined)
    }).pipe(provide)
  })

  it.scoped("not at all with a registry token, which goes out as it is", () => {
    const { provide, requests } = network(() => answer(401, { "www-authenticate": BEARER }))
    return Effect.gen(function* () {
      const registry = yield* client(registryToken)
      assert.strictEqual((yield* Effect.flip(registry.headManifest("acme/app", "1")))._tag, "RegistryUnauthorized")
      assert.deepStrictEqual(requests.map(authorizationOf), ["Bearer ready-token"])
    }).pipe(provide)
  })

  it.scoped("not at all with an identity token where a password is asked for", () => {
    const { provide, requests } = network(() => answer(401, { "www-authenticate": `Basic realm="r"` }))
    return Effect.gen(function* () {
      const registry = yield* client(identity)
      assert.strictEqual((yield* Effect.flip(registry.headManifest("acme/app", "1")))._tag, "RegistryUnauthorized")
      assert.deepStrictEqual(requests.map(authorizationOf), [""])
    }).pipe(provide)
  })

  it.scoped("nowhere else than the realm may be: the credential goes nowhere", () => {
    const { provide, requests } = network(() =>
      answer(401, { "www-authenticate": `Bearer realm="https://169.254.169.254/token"` })
    )
    return Effect.gen(function* () {
      const error = yield* Effect.flip((yield* client(user)).headManifest("acme/app", "1"))
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "address")
      assert.deepStrictEqual(requests.map(authorizationOf), [""])
    }).pipe(provide)
  })
})

describe("RegistryClient reads a manifest", () => {
  const read = (response: RegistryResponse, reference = "1") => {
    const { provide, requests } = network(() => response)
    return Effect.gen(function* () {
      const registry = yield* client()
      return { result: yield* Effect.either(registry.getManifest("acme/app", reference)), requests }
    }).pipe(provide)
  }
  const leftOf = (either: Either.Either<unknown, { readonly _tag: string }>) =>
    Either.isLeft(either) ? either.left : { _tag: "no failure" }

  it.scoped("with its bytes, its description and what it consists of", () =>
    Effect.gen(function* () {
      const { result } = yield* read(manifestAnswer)
      const stored = Option.getOrThrow(Either.getOrThrow(result))
      assert.deepStrictEqual(stored.body, body)
      assert.deepStrictEqual(stored.descriptor, described)
      assert.strictEqual("config" in stored.manifest && String(stored.manifest.config.digest), digest("a"))
      assert.deepStrictEqual("layers" in stored.manifest && stored.manifest.layers?.map(({ size }) => size), [5])
    })
  )

  it.scoped("by a digest of another algorithm, and describes it with that", () =>
    Effect.gen(function* () {
      const sha512 = Descriptor.fromBytes({ mediaType: MediaType.ociManifest, body, algorithm: "sha512" })
      const { result } = yield* read(manifestAnswer, String(sha512.digest))
      assert.deepStrictEqual(
        Option.map(Either.getOrThrow(result), ({ descriptor }) => descriptor),
        Option.some(sha512)
      )
    })
  )

  const mismatches: ReadonlyArray<readonly [string, RegistryResponse, string]> = [
    ["that it does not have", manifestAnswer, digest("c")],
    [
      "that the answer's header contradicts",
      answer(200, { ...manifestHeaders, "docker-content-digest": digest("c") }, body),
      "1"
    ]
  ]
  for (const [what, response, reference] of mismatches) {
    it.scoped(`but not under a digest ${what}`, () =>
      Effect.map(read(response, reference), ({ result }) => assert.strictEqual(leftOf(result)._tag, "DigestMismatch"))
    )
  }

  const absences: ReadonlyArray<readonly [string, RegistryResponse]> = [
    ["no such manifest", answer(404, {}, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`)],
    ["no such repository", answer(404, {}, `{"errors":[{"code":"NAME_UNKNOWN","message":"name unknown"}]}`)],
    ["nothing more", answer(404)]
  ]
  for (const [what, response] of absences) {
    it.scoped(`and has none where the registry says: ${what}`, () =>
      Effect.map(read(response), ({ result }) => assert.deepStrictEqual(result, Either.right(Option.none())))
    )
  }

  it.scoped("and takes another server's 404 page for no registry's word", () =>
    Effect.map(read(answer(404, { "content-type": "text/html" }, "<html><h1>Not Found</h1></html>")), ({ result }) => {
      const error = leftOf(result)
      assert.strictEqual(error._tag, "RegistryRejected")
      assert.include(String(error), "Not Found")
    })
  )

  const both = JSON.stringify({ ...JSON.parse(new TextDecoder().decode(body)), manifests: [] })
  const unreadable: ReadonlyArray<readonly [string, RegistryResponse]> = [
    ["a page", answer(200, { "content-type": "text/html" }, "<html>Sign in</html>")],
    ["an old schema 1 manifest", answer(200, {}, `{"schemaVersion":1,"fsLayers":[]}`)],
    ["what is an image and an index at once", answer(200, {}, both)],
    ["one sent as another type than it says", answer(200, { "content-type": MediaType.dockerManifest }, body)],
    ["more than 8 MiB", { ...manifestAnswer, truncated: true }]
  ]
  for (const [what, response] of unreadable) {
    it.scoped(`but not ${what}`, () =>
      Effect.map(read(response), ({ result }) => {
        const error = leftOf(result)
        assert.strictEqual("reason" in error && error.reason, "protocol")
      })
    )
  }

  it.scoped("when a HEAD leaves out what describes it", () => {
    const { provide, requests } = network(({ method }) =>
      method === "HEAD" ? answer(200, { "content-type": MediaType.ociManifest }) : manifestAnswer
    )
    return Effect.gen(function* () {
      const registry = yield* client()
      assert.deepStrictEqual(yield* registry.headManifest("acme/app", "1"), Option.some(described))
      assert.strictEqual(requests.length, 2)
    }).pipe(provide)
  })

  it.scoped("but not its HEAD, when that names another digest than was asked for", () => {
    const { provide } = network(() => answer(200, manifestHeaders))
    return Effect.gen(function* () {
      const error = yield* Effect.flip((yield* client()).headManifest("acme/app", digest("c")))
      assert.strictEqual(error._tag, "DigestMismatch")
    }).pipe(provide)
  })
})

describe("RegistryClient stores a manifest", () => {
  it.scoped("byte for byte, with the right to push", () => {
    const { provide, requests } = bearerRegistry(answer(201, { "docker-content-digest": String(described.digest) }))
    return Effect.gen(function* () {
      const registry = yield* client(user)
      const manifest = { mediaType: MediaType.ociManifest, body }
      assert.deepStrictEqual(yield* registry.putManifest("acme/app", "1", manifest), described)
      const [, token, put] = requests
      assert.strictEqual(token?.url.searchParams.get("scope"), "repository:acme/app:pull,push")
      assert.strictEqual(put?.method, "PUT")
      assert.strictEqual(put?.headers["content-type"], MediaType.ociManifest)
      assert.deepStrictEqual(put?.body && Redacted.value(put.body), body)
    }).pipe(provide)
  })

  it.scoped("and finds out when the registry stored something else", () => {
    const { provide } = network(() => answer(201, { "docker-content-digest": digest("c") }))
    return Effect.gen(function* () {
      const registry = yield* client()
      const error = yield* Effect.flip(
        registry.putManifest("acme/app", "1", { mediaType: MediaType.ociManifest, body })
      )
      assert.strictEqual(error._tag, "DigestMismatch")
    }).pipe(provide)
  })

  it.scoped("not under a digest it does not have: nothing is sent", () => {
    const { provide, requests } = network(() => answer(201))
    return Effect.gen(function* () {
      const registry = yield* client()
      const put = registry.putManifest("acme/app", digest("c"), { mediaType: MediaType.ociManifest, body })
      assert.strictEqual((yield* Effect.flip(put))._tag, "DigestMismatch")
      assert.strictEqual(requests.length, 0)
    }).pipe(provide)
  })
})

describe("RegistryClient lists tags", () => {
  const tags = (pages: (request: RegistryRequest) => RegistryResponse) => {
    const { provide, requests } = network(pages)
    return Effect.gen(function* () {
      const registry = yield* client()
      return { result: yield* Effect.either(Stream.runCollect(registry.tags("acme/app"))), requests }
    }).pipe(provide)
  }

  it.scoped("page by page", () =>
    Effect.gen(function* () {
      const { requests, result } = yield* tags(({ url }) =>
        url.searchParams.get("last") === "b"
          ? json({ name: "acme/app", tags: ["c"] })
          : json({ tags: ["a", "b"] }, { link: `</v2/acme/app/tags/list?last=b&n=2>; rel="next"` })
      )
      assert.deepStrictEqual(Either.map(result, Chunk.toArray), Either.right(["a", "b", "c"]))
      assert.strictEqual(requests.length, 2)
    })
  )

  it.scoped("as far as they are asked for", () => {
    const { provide, requests } = network(() =>
      json({ tags: ["a"] }, { link: `<?last=a${requests.length}>; rel=next` })
    )
    return Effect.gen(function* () {
      const some = yield* Stream.runCollect(Stream.take((yield* client()).tags("acme/app"), 3))
      assert.strictEqual(Chunk.size(some), 3)
      assert.strictEqual(requests.length, 3)
    }).pipe(provide)
  })

  it.scoped("as none when the registry has no list for them", () =>
    Effect.map(
      tags(() => json({ name: "acme/app", tags: null })),
      ({ result }) => assert.deepStrictEqual(Either.map(result, Chunk.toArray), Either.right([]))
    )
  )

  const broken: ReadonlyArray<readonly [string, RegistryResponse]> = [
    ["a next page at another host", json({ tags: [] }, { link: `<https://elsewhere.test/v2/>; rel="next"` })],
    ["a next page that is itself", json({ tags: [] }, { link: `</v2/acme/app/tags/list>; rel="next"` })],
    ["no list", json({ hello: "world" })]
  ]
  for (const [what, response] of broken) {
    it.scoped(`but fails at ${what}`, () =>
      Effect.map(
        tags(() => response),
        ({ requests, result }) => {
          assert.strictEqual(Either.isLeft(result) && "reason" in result.left && result.left.reason, "protocol")
          assert.strictEqual(requests.length, 1)
        }
      )
    )
  }

  it.scoped("of no repository that the registry does not know", () =>
    Effect.map(
      tags(() => answer(404, {}, `{"errors":[{"code":"NAME_UNKNOWN","message":"name unknown"}]}`)),
      ({ result }) => assert.strictEqual(Either.isLeft(result) && result.left._tag, "RepositoryNotFound")
    )
  )
})

describe("RegistryClient.ping", () => {
  const table: ReadonlyArray<readonly [string, RegistryResponse, string]> = [
    ["a registry", answer(200, {}, "{}"), "answers"],
    ["another server's 404", answer(404, {}, "nginx"), "RegistryUnavailable protocol"],
    ["a page", answer(200, {}, "\n<!doctype html>"), "RegistryUnavailable protocol"],
    ["a proxy's page", answer(502, {}, "<html>Bad Gateway</html>"), "RegistryUnavailable status"],
    ["a firewall", answer(403, {}, "<html>Blocked</html>"), "RegistryDenied"]
  ]
  for (const [what, response, expected] of table) {
    it.scoped(`of ${what}: ${expected}`, () => {
      const { provide } = network(() => response)
      return Effect.gen(function* () {
        const outcome = yield* Effect.either((yield* client()).ping)
        const found = Either.match(outcome, {
          onLeft: (error) => ["reason" in error ? `${error._tag} ${error.reason}` : error._tag].join(""),
          onRight: () => "answers"
        })
        assert.strictEqual(found, expected)
      }).pipe(provide)
    })
  }

  it.scoped("of a host that can not be one: every operation says so, and nothing is sent", () => {
    const { provide, requests } = network(() => answer(200))
    return Effect.gen(function* () {
      for (const host of ["registry.test:99999", "dev:pw@registry.test", "registry.test/path"]) {
        const registry = yield* client(user, { host })
        const failures = yield* Effect.all(
          [
            registry.ping,
            registry.headManifest("a", "1"),
            registry.getManifest("a", "1"),
            registry.putManifest("a", "1", { mediaType: "", body }),
            Stream.runDrain(registry.tags("a")),
            registry.checkPush("a"),
            registry.openUpload("a")
          ].map((operation) => Effect.flip(Effect.asVoid(operation)))
        )
        for (const error of failures) assert.strictEqual("reason" in error && error.reason, "address")
      }
      assert.strictEqual(requests.length, 0)
    }).pipe(provide)
  })
})

describe("RegistryClient.checkPush", () => {
  const jwt = (access: unknown) => `e30.${Encoding.encodeBase64Url(JSON.stringify({ access }))}.c2ln`
  const check = (token: string, credential = user) => {
    const { provide, requests } = network((request) => {
      if (request.url.host === "auth.test") return json({ token })
      return authorizationOf(request) === "" ? answer(401, { "www-authenticate": BEARER }) : answer(200)
    })
    return Effect.gen(function* () {
      const registry = yield* client(credential)
      return { permission: yield* registry.checkPush("acme/app"), requests }
    }).pipe(provide)
  }
  const table: ReadonlyArray<readonly [string, string, RegistryClient.PushPermission]> = [
    ["push in the token", jwt([{ type: "repository", name: "acme/app", actions: ["pull", "push"] }]), "granted"],
    ["every action in the token", jwt([{ type: "repository", name: "acme/app", actions: ["*"] }]), "granted"],
    [
      "less in the token than was asked for",
      jwt([{ type: "repository", name: "acme/app", actions: ["pull"] }]),
      "refused"
    ],
    [
      "another repository in the token",
      jwt([{ type: "repository", name: "acme/other", actions: ["push"] }]),
      "refused"
    ],
    ["nothing in the token", jwt([]), "refused"],
    ["a token that says nothing", "opaque", "unknown"]
  ]
  for (const [what, token, expected] of table) {
    it.scoped(`is ${expected} by ${what}`, () =>
      Effect.map(check(token), ({ permission, requests }) => {
        assert.strictEqual(permission, expected)
        assert.isTrue(requests.every(({ method }) => method === "GET"))
      })
    )
  }

  it.scoped("reads a registry token itself", () =>
    Effect.gen(function* () {
      const token = jwt([{ type: "repository", name: "acme/app", actions: ["push"] }])
      const credential = withKind(CredentialKind.RegistryToken({ token: Redacted.make(token) }))
      assert.strictEqual((yield* check("unused", credential)).permission, "granted")
    })
  )

  it.scoped("believes the scope of an OAuth answer", () => {
    const { provide } = network((request) => {
      if (request.url.host === "auth.test") {
        return json({ access_token: "opaque", scope: "repository:acme/app:pull,push" })
      }
      return authorizationOf(request) === "" ? answer(401, { "www-authenticate": BEARER }) : answer(200)
    })
    return Effect.gen(function* () {
      assert.strictEqual(yield* (yield* client(identity)).checkPush("acme/app"), "granted")
    }).pipe(provide)
  })

  it.scoped("does not know with a password, and says when that is wrong", () => {
    const { provide } = basicRegistry()
    const wrong = Option.some(usernamePassword({ host, username: "dev", password: Redacted.make("wrong") }))
    return Effect.gen(function* () {
      assert.strictEqual(yield* (yield* client(user)).checkPush("acme/app"), "unknown")
      const error = yield* Effect.flip((yield* client(wrong)).checkPush("acme/app"))
      assert.strictEqual(error._tag, "RegistryUnauthorized")
    }).pipe(provide)
  })

  it.scoped("does not know at an open registry", () => {
    const { provide } = network(() => answer(200))
    return Effect.gen(function* () {
      assert.strictEqual(yield* (yield* client(user)).checkPush("acme/app"), "unknown")
    }).pipe(provide)
  })
})

describe("RegistryClient goes where a registry sends it", () => {
  const redirected = (location: string) => {
    const { provide, requests } = network((request) => {
      if (request.url.href === "https://registry.test/v2/acme/app/manifests/1") {
        return authorizationOf(request) === ""
          ? answer(401, { "www-authenticate": `Basic realm="r"` })
          : answer(307, { location })
      }
      return manifestAnswer
    })
    return Effect.gen(function* () {
      return { result: yield* Effect.either((yield* client(user)).getManifest("acme/app", "1")), requests }
    }).pipe(provide)
  }

  it.scoped("with its credential on the same host", () =>
    Effect.map(redirected("/v2/acme/app/manifests/2"), ({ requests, result }) => {
      assert.isTrue(Either.isRight(result))
      assert.strictEqual(authorizationOf(requests[2]), basicOfDev)
    })
  )

  it.scoped("without it on another host", () =>
    Effect.map(redirected("https://storage.test/blob?sig=abc"), ({ requests, result }) => {
      assert.isTrue(Either.isRight(result))
      assert.strictEqual(requests[2]?.url.href, "https://storage.test/blob?sig=abc")
      assert.strictEqual(requests[2]?.authorization, undefined)
    })
  )

  it.scoped("without it on another port of the same host", () =>
    Effect.map(redirected("https://registry.test:8443/x"), ({ requests }) => {
      assert.strictEqual(requests[2]?.authorization, undefined)
    })
  )

  for (const location of [
    "http://registry.test/x",
    "http://storage.test/x",
    "https://127.0.0.1/x",
    "https://169.254.169.254/x",
    "https://dev:pw@storage.test/x",
    "https://dev@registry.test/x",
    "gopher://x"
  ]) {
    it.scoped(`but not to ${location}`, () =>
      Effect.map(redirected(location), ({ requests, result }) => {
        assert.strictEqual(Either.isLeft(result) && "reason" in result.left && result.left.reason, "address")
        assert.strictEqual(requests.length, 2)
      })
    )
  }

  it.scoped("and answers no challenge of the host it was sent to", () => {
    const { provide, requests } = network(({ url }) =>
      url.host === "registry.test"
        ? answer(307, { location: "https://storage.test/x" })
        : answer(401, { "www-authenticate": `Bearer realm="https://evil.test/token", Basic realm="r"` })
    )
    return Effect.gen(function* () {
      const registry = yield* client(user)
      const head = Effect.flip(registry.headManifest("acme/app", "1"))
      assert.strictEqual((yield* head)._tag, "RegistryUnauthorized")
      assert.strictEqual((yield* head)._tag, "RegistryUnauthorized")
      assert.deepStrictEqual(
        requests.map((request) => [request.url.host, authorizationOf(request)]),
        [
          ["registry.test", ""],
          ["storage.test", ""],
          ["registry.test", ""],
          ["storage.test", ""]
        ]
      )
    }).pipe(provide)
  })

  const upload = (location: string, hostOf: { readonly host?: string } = {}) => {
    const { provide, requests } = network((request) => {
      if (request.method === "DELETE") return answer(204)
      if (authorizationOf(request) === "") return answer(401, { "www-authenticate": `Basic realm="r"` })
      return answer(202, location === "" ? {} : { location })
    })
    return Effect.gen(function* () {
      const registry = yield* client(user, hostOf)
      const result = yield* Effect.either(Effect.flatMap(registry.openUpload("acme/app"), registry.cancelUpload))
      return { result, requests, last: requests.at(-1) }
    }).pipe(provide)
  }

  const uploads: ReadonlyArray<readonly [string, string, string]> = [
    ["/v2/acme/app/blobs/uploads/1?state=x", "https://registry.test/v2/acme/app/blobs/uploads/1?state=x", basicOfDev],
    ["https://registry.test/up/1", "https://registry.test/up/1", basicOfDev],
    ["http://registry.test/up/1?state=x", "https://registry.test/up/1?state=x", basicOfDev],
    ["https://uploads.test/1?sig=x", "https://uploads.test/1?sig=x", ""]
  ]
  for (const [location, expected, authorization] of uploads) {
    it.scoped(`for an upload at ${location}`, () =>
      Effect.map(upload(location), ({ last, result }) => {
        assert.isTrue(Either.isRight(result))
        assert.strictEqual(last?.url.href, expected)
        assert.strictEqual(authorizationOf(last), authorization)
      })
    )
  }

  it.scoped("for an upload whose location forgot the registry's port", () =>
    Effect.map(upload("http://registry.test/up/1", { host: "registry.test:5000" }), ({ last }) => {
      assert.strictEqual(last?.url.href, "https://registry.test:5000/up/1")
    })
  )

  for (const location of ["", "https://10.0.0.1/up", "http://uploads.test/up", "https://dev:pw@registry.test/up"]) {
    it.scoped(`but not for an upload at ${location === "" ? "no location" : location}`, () =>
      Effect.map(upload(location), ({ requests, result }) => {
        assert.strictEqual(Either.isLeft(result) && "reason" in result.left && result.left.reason, "address")
        assert.isTrue(requests.every(({ method }) => method === "POST"))
      })
    )
  }

  it.scoped("and shows an upload's location to nobody", () => {
    const { provide } = network(() => answer(202, { location: "/up/1?state=signature" }))
    return Effect.gen(function* () {
      const session = yield* (yield* client()).openUpload("acme/app")
      assert.notInclude(JSON.stringify(session), "signature")
      assert.notInclude(String(session), "signature")
    }).pipe(provide)
  })
})

describe("RegistryClient.pool", () => {
  const password = (text: string, registry = host) =>
    Option.some(usernamePassword({ host: registry, username: "dev", password: Redacted.make(text) }))

  it.scoped("gives one client to equal identities, whose tokens it shares", () => {
    const { provide, requests } = bearerRegistry()
    return Effect.gen(function* () {
      const clients = yield* RegistryClient.pool
      const first = clients({ host, credential: password("a") })
      const second = clients({ host, credential: password("a") })
      assert.strictEqual(first, second)
      yield* first.headManifest("acme/app", "1")
      yield* second.headManifest("acme/app", "1")
      assert.strictEqual(requests.length, 4)
    }).pipe(provide)
  })

  it.scoped("gives other clients to another password, host, TLS and to nobody", () =>
    Effect.gen(function* () {
      const clients = yield* RegistryClient.pool
      const made = [
        clients({ host, credential: password("a") }),
        clients({ host, credential: password("b") }),
        clients({ host: "other.test", credential: password("a", "other.test") }),
        clients({ host, tls: "skip-verify", credential: password("a") }),
        clients({ host, credential: Option.none() })
      ]
      assert.strictEqual(new Set(made).size, made.length)
    })
  )

  it.scoped("keeps the 64 used last, so that replaced credentials fall out", () =>
    Effect.gen(function* () {
      const clients = yield* RegistryClient.pool
      const get = (index: number) => clients({ host, credential: password(`password-${index}`) })
      const first = get(0)
      const second = get(1)
      for (let index = 2; index < 64; index++) get(index)
      assert.strictEqual(get(0), first)
      get(64)
      assert.strictEqual(get(0), first)
      assert.notStrictEqual(get(1), second)
    })
  )
})
