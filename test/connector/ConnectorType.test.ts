import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ConnectorType from "../../src/connector/ConnectorType.ts"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"
import { assertHidesCanary, canary } from "../credential/support/secrets.ts"

const node = Effect.provide(Layer.merge(FetchHttpClient.layer, NodeFileSystem.layer))

/** A value that each field's kind takes. */
const sample: Readonly<Record<ConnectorType.FieldKind, ConnectorType.FieldValue>> = {
  text: "127.0.0.1",
  secret: Redacted.make(canary),
  integer: 3600,
  flag: true
}

/** Methods that look at the form of what they are given, which no sample has, before they are used. */
const formed = ["github app-installation", "gcp service-account", "gcp workload-identity", "gcp impersonation"]

const samplesOf = ({ fields }: ConnectorType.AuthMethod) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, { kind }]) => [
      name,
      /Endpoint$|Url$/.test(name) ? "https://127.0.0.1" : sample[kind]
    ])
  )

const everyMethod = ConnectorType.builtin.flatMap((type) => type.authMethods.map((method) => ({ type, method })))

describe("ConnectorType", () => {
  for (const { method, type } of everyMethod) {
    it.scoped(`makes a connector of ${type.type} and ${method.name}, or says why its options can not work`, () =>
      Effect.gen(function* () {
        const made = yield* node(Effect.either(method.make(samplesOf(method))))
        if (Either.isRight(made)) {
          assert.deepStrictEqual([made.right.type, made.right.authMethod], [type.type, method.name])
        } else {
          assert.include(formed, `${type.type} ${method.name}`)
          assert.strictEqual(made.left.reason, "misconfigured")
          assertHidesCanary(made.left)
        }
      })
    )

    it.scoped(`refuses options of ${type.type} and ${method.name} that are missing, unknown or of another kind`, () =>
      Effect.gen(function* () {
        const wrong: ReadonlyArray<Readonly<Record<string, ConnectorType.FieldValue>>> = [
          { ...samplesOf(method), other: "x" },
          ...Object.entries(method.fields).flatMap(([name, { isRequired, kind }]) => {
            const { [name]: _, ...others } = samplesOf(method)
            const ofOtherKind = { ...others, [name]: sample[kind === "text" ? "secret" : "text"] }
            return isRequired ? [others, ofOtherKind] : [ofOtherKind]
          })
        ]
        for (const values of wrong) {
          const error = yield* Effect.flip(node(method.make(values)))
          assert.strictEqual(error.reason, "misconfigured")
          assertHidesCanary(error)
        }
      })
    )
  }

  it.scoped("leaves every implicit method off until it is allowed", () =>
    Effect.gen(function* () {
      const implicit = everyMethod.filter(({ method }) => method.isImplicit)
      const names = implicit.map(({ method, type }) => `${type.type} ${method.name}`)
      assert.includeMembers(names, ["aws default-chain", "aws profile", "github actions-token", "gitlab job-token"])
      for (const { method } of implicit) {
        const { allowImplicitMethods: _, ...values } = samplesOf(method)
        assert.strictEqual((yield* Effect.flip(node(method.make(values)))).reason, "misconfigured")
      }
    })
  )

  it("filters by all that is asked for", () => {
    const typesOf = (wanted: Parameters<typeof ConnectorType.filter>[1]) =>
      ConnectorType.filter(ConnectorType.builtin, wanted).map(({ type }) => type)
    assert.deepStrictEqual(
      typesOf({}),
      ConnectorType.builtin.map(({ type }) => type)
    )
    assert.deepStrictEqual(typesOf({ type: "aws" }), ["aws"])
    assert.deepStrictEqual(typesOf({ authMethod: "assume-role" }), ["aws"])
    assert.deepStrictEqual(typesOf({ flavor: "github" }), ["docker", "github"])
    assert.deepStrictEqual(typesOf({ flavor: "github", authMethod: "password" }), ["docker"])
    assert.deepStrictEqual(typesOf({ flavor: "harbor" }), ["docker"])
    assert.deepStrictEqual(typesOf({ resourceType: "docker-registry" }), typesOf({}))
    assert.deepStrictEqual(typesOf({ resourceType: "s3-bucket" }), [])
  })

  describe("canServe", () => {
    const canServe = (type: ConnectorType.ConnectorType, text: string, flavor?: RegistryFlavor.RegistryFlavor) => {
      const uri = RegistryUri.unsafeParse(text)
      return ConnectorType.canServe(type, { uri, flavor: flavor ?? RegistryFlavor.forUri(uri) })
    }
    const { aws, docker, github } = ConnectorType

    it("accepts a type for its own flavors, a type for all, and any for a registry of no known kind", () => {
      const served = [
        canServe(github, "ghcr.io/acme"),
        canServe(docker, "ghcr.io/acme"),
        canServe(docker, "public.ecr.aws/acme"),
        canServe(aws, "public.ecr.aws/acme"),
        canServe(aws, "registry.example.com"),
        canServe(github, "containers.example.com", RegistryFlavor.make({ name: "enterprise" }))
      ]
      assert.deepStrictEqual(
        served.map(Either.isRight),
        served.map(() => true)
      )
    })

    it("names the types that would do when one is for other registries", () => {
      const missed = (type: ConnectorType.ConnectorType, uri: string) =>
        Either.match(canServe(type, uri), {
          onLeft: ({ accepted, reason }) => [reason, ...accepted],
          onRight: () => []
        })
      assert.deepStrictEqual(missed(aws, "ghcr.io/acme"), ["connector-type", "docker", "github"])
      assert.deepStrictEqual(missed(github, "public.ecr.aws/acme"), ["connector-type", "aws", "docker"])
      assert.deepStrictEqual(missed(github, "registry.gitlab.com/acme"), ["connector-type", "docker", "gitlab"])
    })
  })
})
