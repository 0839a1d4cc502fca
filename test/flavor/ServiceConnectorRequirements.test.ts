import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as ServiceConnectorRequirements from "../../src/flavor/ServiceConnectorRequirements.ts"

const connector = (type: string, resourceTypes: ReadonlyArray<string> = ["docker-registry"]) => ({
  type,
  resourceTypes
})
const configured = { uri: "reg.io" }

const check = ServiceConnectorRequirements.isSatisfiedBy
const failure = (result: ReturnType<typeof check>) => Either.getOrThrow(Either.flip(result))

describe("ServiceConnectorRequirements.isSatisfiedBy", () => {
  const aws = RegistryFlavor.aws.serviceConnectorRequirements

  it("accepts a connector of the right type, resource type and resource", () => {
    assert.isTrue(Either.isRight(check(aws, connector("aws", ["s3", "docker-registry"]), configured)))
  })

  it("refuses a connector of another type, and names the types that would do", () => {
    const error = failure(check(aws, connector("gcp", []), {}))
    assert.deepStrictEqual(
      [error.reason, error.connectorType, error.accepted],
      ["connector-type", "gcp", ["aws", "docker"]]
    )
    assert.strictEqual(
      error.message,
      'The "gcp" connector can not serve this registry as it is. Link a connector of type "aws" or "docker".'
    )
    assert.isFalse(error.isRetryable)
  })

  it("refuses a connector without the resource type, before it looks at the resource", () => {
    const error = failure(check(aws, connector("aws", ["s3"]), {}))
    assert.deepStrictEqual([error.reason, error.accepted], ["resource-type", ["docker-registry"]])
    assert.match(error.message, /for resources of type "docker-registry"/)
  })

  it("refuses a registry whose attribute for the resource is absent or empty", () => {
    for (const attributes of [{}, { uri: "" }, { uri: undefined }]) {
      const error = failure(check(aws, connector("aws"), attributes))
      assert.deepStrictEqual([error.reason, error.accepted], ["resource-id", ["uri"]])
      assert.match(error.message, /Set "uri" in the registry's configuration/)
    }
  })

  it("needs no attribute when the requirements name none", () => {
    const requirements = { ...aws, resourceIdAttribute: Option.none() }
    assert.isTrue(Either.isRight(check(requirements, connector("aws"), {})))
  })
})

describe("the requirements of the built-in flavors", () => {
  it("accept a Docker connector, whose username and password work with every registry", () => {
    for (const flavor of RegistryFlavor.builtin) {
      assert.isTrue(
        Either.isRight(check(flavor.serviceConnectorRequirements, connector("docker"), configured)),
        flavor.name
      )
    }
  })

  it("accept their own cloud's connector, or any where there is no cloud", () => {
    const types = ["aws", "azure", "gcp", "github"]
    const accepted = Object.fromEntries(
      RegistryFlavor.builtin.map((flavor) => [
        flavor.name,
        types.filter((type) => Either.isRight(check(flavor.serviceConnectorRequirements, connector(type), configured)))
      ])
    )
    assert.deepStrictEqual(accepted, {
      default: types,
      azure: ["azure"],
      aws: ["aws"],
      dockerhub: [],
      gcp: ["gcp"],
      github: types,
      gitlab: types
    })
  })
})
