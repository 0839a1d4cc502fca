// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import * as PlatformError from "@effect/platform/Error"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as GantryFile from "../../src/config/GantryFile.ts"
import { ConnectorCatalog } from "../../src/connector/ConnectorCatalog.ts"
import * as ConnectorType from "../../src/connector/ConnectorType.ts"
import * as ServiceConnector from "../../src/connector/ServiceConnector.ts"
import * as Credential from "../../src/credential/Credential.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { RegistryCatalog } from "../../src/registry/RegistryCatalog.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import * as FakeGitHub from "../connector/support/fakeGitHub.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"
import { parse, withVariables } from "./support.ts"

/** A disk with these files, which the test may change. */
const disk = (files: Readonly<Record<string, string>> = {}) => {
  const contents = new Map(Object.entries(files))
  const reads: Array<string> = []
  const layer = FileSystem.layerNoop({
    readFile: (path) => {
      reads.push(path)
      const content = contents.get(path)
      return content === undefined
        ? new PlatformError.SystemError({ module: "FileSystem", method: "readFile", reason: "NotFound" })
        : Effect.succeed(new TextEncoder().encode(content))
    }
  })
  return { contents, layer: Layer.merge(layer, FetchHttpClient.layer), reads }
}

const passwordOf = ({ kind }: Credential.Credential) =>
  kind._tag === "UsernamePassword" ? Redacted.value(kind.password) : ""

const issue = (name: string, id: string) =>
  Effect.flatMap(ConnectorCatalog, (catalog) => Effect.flatMap(catalog.get(name), ({ issue }) => issue(id)))

const token = (source: string) =>
  parse(`version: 1\nconnectors: { gh: { type: github, method: token, token: ${source} } }`)

describe("the connectors of a file", () => {
  it.scoped("read nothing until they are used, and their secrets for each credential", () => {
    const { contents, layer, reads } = disk({ "/project/token": "ghp_one\n" })
    return Effect.gen(function* () {
      const file = yield* token("{ file: token }")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(reads, [])
        assert.strictEqual(passwordOf(yield* issue("gh", "ghcr.io/acme")), "ghp_one")
        contents.set("/project/token", "ghp_two\n")
        assert.strictEqual(passwordOf(yield* issue("gh", "ghcr.io/acme")), "ghp_two")
        contents.delete("/project/token")
        const error = yield* Effect.flip(issue("gh", "ghcr.io/acme"))
        assert.deepInclude(error, { connector: "github", reason: "misconfigured" })
        assert.include(error.message, "its token must be in the file /project/token, which can not be read")
      }).pipe(Effect.provide(GantryFile.layerConnectors(file)))
    }).pipe(Effect.provide(layer))
  })

  it.effect("take secrets from variables and from standard input, which is read once", () => {
    let reads = 0
    const stdin = Effect.sync(() => Option.some(`ghp_piped${++reads}\n`))
    return Effect.gen(function* () {
      const one = yield* token("{ env: TOKEN }")
      const given = Effect.provide(issue("gh", "ghcr.io"), GantryFile.layerConnectors(one))
      assert.strictEqual(passwordOf(yield* withVariables({ TOKEN: "ghp_env" })(given)), "ghp_env")
      const piped = yield* token("{ stdin: true }")
      const twice = Effect.zip(issue("gh", "ghcr.io/a"), issue("gh", "ghcr.io/b"))
      const issued = yield* Effect.provide(twice, GantryFile.layerConnectors(piped, { stdin }))
      assert.deepStrictEqual(issued.map(passwordOf), ["ghp_piped1", "ghp_piped1"])
    }).pipe(Effect.provide(disk().layer))
  })

  it.effect("fail when they are used and not before, and show no secret", () =>
    Effect.gen(function* () {
      const file = yield* parse(
        "version: 1\nconnectors: { gh: { type: github, method: app-installation, appId: x, privateKey: { env: KEY } } }"
      )
      const error = yield* Effect.flip(Effect.provide(issue("gh", "ghcr.io/a"), GantryFile.layerConnectors(file)))
      assert.deepInclude(error, { connector: "github", reason: "misconfigured" })
      assertHidesCanary(error)
    }).pipe(Effect.provide(disk().layer), withVariables({ KEY: canary }))
  )

  it.effect("that the file does not name are misconfigured, with the names that there are", () =>
    Effect.gen(function* () {
      const file = yield* token("{ env: TOKEN }")
      const error = yield* Effect.flip(
        Effect.provide(issue("constructor", "ghcr.io"), GantryFile.layerConnectors(file))
      )
      assert.deepInclude(error, { connector: "constructor", reason: "misconfigured" })
      assert.include(error.message, "gh")
    }).pipe(Effect.provide(disk().layer))
  )

  it.scoped("serve the registries that name them, which share one issue", () =>
    Effect.gen(function* () {
      const github = yield* FakeGitHub.make({ token: (number) => `ghs_${number}` })
      const text = `
version: 1
registries:
  one: { uri: ghcr.io/acme/one, connector: pusher }
  two: { uri: ghcr.io/acme/two, connector: pusher }
  other: { uri: registry.example.com, connector: runner }
  nobody: { uri: nobody.example.com }
connectors:
  pusher: { type: github, method: app-installation, appId: "7", privateKey: { env: KEY }, apiUrl: "${github.apiUrl}" }
  runner: { type: gitlab, method: deploy-token, username: bot, token: { env: TOKEN }, host: registry.example.com }
`
      const { layer } = disk({ "/project/gantry.yaml": text })
      yield* Effect.gen(function* () {
        const catalog = yield* RegistryCatalog
        const credentialOf = (name: string) => Effect.flatMap(catalog.get(name), ({ credentials }) => credentials)
        const some = (name: string) => Effect.flatten(credentialOf(name))
        const [one, two] = yield* Effect.all([some("one"), some("two")], { concurrency: "unbounded" })
        assert.strictEqual(one.origin, "connector pusher (github, app-installation)")
        const { expiry } = one.credential
        assert.strictEqual(expiry._tag === "At" && DateTime.formatIso(expiry.at), "1970-01-01T01:00:00.000Z")
        assert.deepStrictEqual([passwordOf(one.credential), github.issues()], ["ghs_1", 1])
        assert.strictEqual(passwordOf(two.credential), "ghs_1")
        const other = Option.getOrThrow(yield* credentialOf("other"))
        assert.strictEqual(other.origin, "connector runner (gitlab, deploy-token)")
        assert.strictEqual(passwordOf(other.credential), "gldt")
        assert.deepStrictEqual(yield* credentialOf("nobody"), Option.none())
      }).pipe(
        Effect.provide(GantryFile.layerCatalog("/project/gantry.yaml")),
        Effect.provide(Layer.mergeAll(TestTransport.layer(), NodePath.layer, layer))
      )
    }).pipe(withVariables({ KEY: FakeGitHub.privateKeys["PKCS#8"], TOKEN: "gldt" }))
  )

  it.effect("stand beside registries, secrets and pushes, as in the example of the command line", () =>
    Effect.gen(function* () {
      const file = yield* parse(
        `version: 1
registries:
  prod:   { uri: acme.azurecr.io, connector: azure-prod }
  mirror: { uri: ghcr.io/acme, secret: ghcr }
  local:  { uri: "localhost:5000", tls: "off", concurrency: 8 }
connectors:
  azure-prod:
    type: azure
    method: service-principal
    tenantId: 00000000-0000-0000-0000-000000000000
    clientId: 11111111-1111-1111-1111-111111111111
    clientSecret: { env: AZURE_CLIENT_SECRET }
secrets:
  ghcr:
    username: acme-bot
    password: { file: /run/secrets/ghcr }
pushes:
  - source: app:\${VERSION:?set VERSION}
    to: ["@prod/app", "@mirror/app"]
    tags: ["\${VERSION}", "latest"]
  - source: oci:./build/worker#1.4.2
    to: "@prod/worker:1.4.2"
`,
        { VERSION: "1" }
      )
      assert.strictEqual(GantryFile.requests(file).length, 5)
      const { fields, method, type } = file.connectors["azure-prod"] ?? assert.fail("it has a connector")
      assert.deepStrictEqual([type.type, method.name], ["azure", "service-principal"])
      assert.deepStrictEqual(fields["clientSecret"], { env: "AZURE_CLIENT_SECRET" })
    })
  )

  it.effect("may be of a type of the application's own, do all that it does, and are made once", () =>
    Effect.gen(function* () {
      const ensured: Array<string> = []
      let makes = 0
      const company = ConnectorType.make({
        type: "company",
        displayName: "Our token service",
        docsUrl: "https://wiki.example.com",
        authMethods: [
          ConnectorType.method({
            name: "badge",
            about: "a badge",
            fields: {
              badge: ConnectorType.secret("the badge"),
              desk: ConnectorType.optional(ConnectorType.integer("a desk"))
            },
            make: ({ badge, desk = 1 }) =>
              Effect.sync(() => {
                makes++
                return ServiceConnector.make({
                  type: "company",
                  authMethod: "badge",
                  issue: (host) =>
                    Effect.succeed(Credential.usernamePassword({ host, username: `desk-${desk}`, password: badge })),
                  resources: Effect.succeed(["reg.example.com"]),
                  ensureRepository: ({ repository }) => Effect.sync(() => void ensured.push(repository))
                })
              })
          })
        ]
      })
      const text = "version: 1\nconnectors: { own: { type: company, method: badge, badge: { env: BADGE }, desk: 2 } }"
      const known = Effect.provideService(ConnectorType.ConnectorTypes, [...ConnectorType.builtin, company])
      const file = yield* known(parse(text))
      assert.isTrue(Either.isLeft(yield* Effect.either(parse(text))))
      yield* Effect.gen(function* () {
        const own = yield* Effect.flatMap(ConnectorCatalog, (catalog) => catalog.get("own"))
        const { kind } = yield* own.issue("reg.example.com")
        assert.strictEqual(kind._tag === "UsernamePassword" && kind.username, "desk-2")
        assert.deepStrictEqual(yield* own.resources, ["reg.example.com"])
        yield* Option.getOrThrow(own.ensureRepository)(ImageReference.unsafeParse("reg.example.com/app:1"))
        assert.deepStrictEqual([own.type, own.authMethod, ...ensured], ["company", "badge", "app"])
        assert.strictEqual(makes, 1)
      }).pipe(Effect.provide(GantryFile.layerConnectors(file)))
    }).pipe(Effect.provide(disk().layer), withVariables({ BADGE: "b" }))
  )
})
