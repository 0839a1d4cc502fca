import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import type { Registry } from "../../scripts/lib/stack/Registry.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import type { TokenServer } from "../../scripts/lib/stack/TokenServer.ts"
import { Credential, CredentialKind, Expiry } from "../../src/credential/Credential.ts"
import * as RegistryClient from "../../src/distribution/RegistryClient.ts"
import { askTokenServer } from "./support/askTokenServer.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const wrong: LabUser.LabUser = { ...LabUser.dev, password: "wrong" }

const passwordOf = ({ password, username }: LabUser.LabUser) =>
  CredentialKind.UsernamePassword({ username, password: Redacted.make(password) })

const clientOf = ({ host }: Registry, kind: Option.Option<CredentialKind>) =>
  RegistryClient.make({
    host,
    credential: Option.map(kind, (known) => new Credential({ host, kind: known, expiry: Expiry.Never() }))
  })

const clientAs = (registry: Registry, user: LabUser.LabUser) => clientOf(registry, Option.some(passwordOf(user)))

const pushed = (registry: Registry) =>
  Effect.gen(function* () {
    const { engine } = yield* LiveStack
    const repository = uniqueRepository("client")
    const reference = `${registry.host}/${repository}:v1`
    const image = yield* loadedImage(engine, { tags: [reference], layers: [{ seed: "client", size: 5000 }] })
    const digest = yield* engine.api.push(reference, Option.getOrUndefined(registry.credentials))
    return { repository, reference, digest, image }
  })

describeLive("the protocol client and docker-registry", (it) => {
  for (const name of ["open", "htpasswd", "token"] as const) {
    it.scoped(`read a manifest of the ${name} registry as skopeo does`, () =>
      Effect.gen(function* () {
        const registry = (yield* LiveStack).registries[name]
        const { digest, image, reference, repository } = yield* pushed(registry)
        const client = yield* clientOf(registry, Option.map(registry.credentials, passwordOf))
        const head = Option.getOrThrow(yield* client.headManifest(repository, "v1"))
        const stored = Option.getOrThrow(yield* client.getManifest(repository, String(head.digest)))
        const inspected = yield* skopeoInspect(reference, Option.getOrUndefined(registry.credentials))
        assert.strictEqual(String(head.digest), digest)
        assert.strictEqual(inspected.digest, digest)
        assert.deepStrictEqual(stored.descriptor, head)
        assert.strictEqual("config" in stored.manifest && String(stored.manifest.config.digest), image.id)
        assert.deepStrictEqual(yield* client.headManifest(repository, "v2"), Option.none())
        assert.deepStrictEqual(yield* client.headManifest(uniqueRepository("none"), "v1"), Option.none())
      })
    )

    it.scoped(`give a manifest of the ${name} registry a second tag, and list both`, () =>
      Effect.gen(function* () {
        const registry = (yield* LiveStack).registries[name]
        const { digest, repository } = yield* pushed(registry)
        const client = yield* clientOf(registry, Option.map(registry.credentials, passwordOf))
        const { body, descriptor } = Option.getOrThrow(yield* client.getManifest(repository, "v1"))
        const put = yield* client.putManifest(repository, "v2", { mediaType: descriptor.mediaType, body })
        assert.strictEqual(String(put.digest), digest)
        assert.deepStrictEqual(Chunk.toArray(yield* Stream.runCollect(client.tags(repository))).sort(), ["v1", "v2"])
        const missing = yield* Effect.flip(Stream.runDrain(client.tags(uniqueRepository("none"))))
        assert.strictEqual(missing._tag, "RepositoryNotFound")
      })
    )
  }

  it.scoped("need one request at an open registry, one more to learn of a password, two more to get a token", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      for (const [registry, first] of [
        [registries.open, 1],
        [registries.htpasswd, 2],
        [registries.token, 2]
      ] as const) {
        const client = yield* clientOf(registry, Option.map(registry.credentials, passwordOf))
        const head = client.headManifest("lab/none", "v1")
        const [, learning] = yield* registry.observe(head)
        const [, knowing] = yield* registry.observe(head)
        assert.strictEqual(learning.length, first)
        assert.strictEqual(knowing.length, 1)
      }
    })
  )

  it.scoped("tell a right password from a wrong one and from none", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      for (const registry of [registries.htpasswd, registries.token]) {
        yield* (yield* clientAs(registry, LabUser.dev)).ping
        const refused = yield* Effect.flip((yield* clientAs(registry, wrong)).ping)
        const anonymous = yield* Effect.flip((yield* clientOf(registry, Option.none())).headManifest("lab/x", "1"))
        assert.strictEqual(refused._tag, "RegistryUnauthorized")
        assert.strictEqual(anonymous._tag, "RegistryUnauthorized")
      }
    })
  )

  it.scoped("know from the token who may push, and find out by an upload", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const repository = uniqueRepository("upload")
      const writer = yield* clientAs(registries.token, LabUser.dev)
      const reader = yield* clientAs(registries.token, LabUser.readOnly)
      assert.strictEqual(yield* writer.checkPush(repository), "granted")
      assert.strictEqual(yield* reader.checkPush(repository), "refused")
      assert.strictEqual(yield* (yield* clientAs(registries.htpasswd, LabUser.dev)).checkPush(repository), "unknown")
      assert.strictEqual(yield* (yield* clientOf(registries.open, Option.none())).checkPush(repository), "unknown")
      yield* writer.cancelUpload(yield* writer.openUpload(repository))
      assert.strictEqual((yield* Effect.flip(reader.openUpload(repository)))._tag, "RegistryDenied")
    })
  )

  it.scoped("exchange an identity token, and refuse a wrong one", () =>
    Effect.gen(function* () {
      const { registries, tokenServer } = yield* LiveStack
      const { refresh_token = "" } = yield* askTokenServer(tokenServer, LabUser.dev, { offline_token: "true" })
      const identity = (token: string) =>
        CredentialKind.IdentityToken({ username: Option.none(), token: Redacted.make(token) })
      const client = yield* clientOf(registries.token, Option.some(identity(refresh_token)))
      assert.strictEqual(yield* client.checkPush("lab/identity"), "granted")
      const stranger = yield* clientOf(registries.token, Option.some(identity("made-up")))
      assert.strictEqual((yield* Effect.flip(stranger.ping))._tag, "RegistryUnauthorized")
    })
  )

  it.scoped("send a registry token as it is: for its own repository, and not past its end", () =>
    Effect.gen(function* () {
      const expiredServer = yield* Stack.tokenServer({ lifetimeSeconds: -61 })
      const expiredRegistry = yield* Stack.registry(expiredServer)
      const { registries, tokenServer } = yield* LiveStack
      const scope = { scope: "repository:lab/mine:pull,push" }
      const readyFor = (registry: Registry, server: TokenServer) =>
        Effect.flatMap(askTokenServer(server, LabUser.dev, scope), ({ token }) =>
          clientOf(registry, Option.some(CredentialKind.RegistryToken({ token: Redacted.make(token) })))
        )
      const client = yield* readyFor(registries.token, tokenServer)
      assert.deepStrictEqual(yield* client.headManifest("lab/mine", "none"), Option.none())
      assert.strictEqual((yield* Effect.flip(client.headManifest("lab/other", "none")))._tag, "RegistryDenied")
      const late = yield* readyFor(expiredRegistry, expiredServer)
      assert.strictEqual((yield* Effect.flip(late.headManifest("lab/mine", "none")))._tag, "RegistryUnauthorized")
    })
  )

  it.scoped("ask the token server once more when its token is past its end, and then say so", () =>
    Effect.gen(function* () {
      // A registry forgives 60 s: reference/auth.md section 11a.
      const server = yield* Stack.tokenServer({ lifetimeSeconds: -61 })
      const client = yield* clientAs(yield* Stack.registry(server), LabUser.dev)
      assert.strictEqual((yield* Effect.flip(client.headManifest("lab/x", "1")))._tag, "RegistryUnauthorized")
      assert.strictEqual((yield* server.requests).length, 1)
      assert.strictEqual((yield* Effect.flip(client.headManifest("lab/x", "1")))._tag, "RegistryUnauthorized")
      assert.strictEqual((yield* server.requests).length, 3)
    })
  )

  it.scoped("refuse a manifest whose blobs nobody has sent", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const { repository } = yield* pushed(registries.open)
      const client = yield* clientOf(registries.open, Option.none())
      const { body, descriptor } = Option.getOrThrow(yield* client.getManifest(repository, "v1"))
      const elsewhere = client.putManifest(uniqueRepository("none"), "v1", { mediaType: descriptor.mediaType, body })
      const error = yield* Effect.flip(elsewhere)
      assert.strictEqual(error._tag === "ManifestRejected" && error.reason, "blob-unknown")
    })
  )

  it.scoped("notice that the registry has gone", () =>
    Effect.gen(function* () {
      const registry = yield* Stack.registry("open")
      const client = yield* clientOf(registry, Option.none())
      yield* client.ping
      yield* registry.kill
      const error = yield* Effect.flip(client.headManifest("lab/x", "1"))
      assert.strictEqual(error._tag === "RegistryUnavailable" && error.reason, "refused")
    })
  )
})
