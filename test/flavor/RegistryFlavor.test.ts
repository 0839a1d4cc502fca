import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as RegistryFlavor from "../../src/flavor/RegistryFlavor.ts"
import * as RegistryQuirks from "../../src/flavor/RegistryQuirks.ts"
import * as RegistryUri from "../../src/reference/RegistryUri.ts"

const inferred = (uri: string): string => RegistryFlavor.forUri(RegistryUri.unsafeParse(uri)).name

describe("RegistryFlavor.builtin", () => {
  it("is the seven flavors, by distinct names and with https links", () => {
    assert.deepStrictEqual(
      RegistryFlavor.builtin.map((flavor) => flavor.name),
      ["default", "azure", "aws", "dockerhub", "gcp", "github", "gitlab"]
    )
    for (const flavor of RegistryFlavor.builtin) {
      assert.isNotEmpty(flavor.displayName)
      for (const link of Option.reduceCompact([flavor.docsUrl, flavor.sdkDocsUrl, flavor.logoUrl], [""], (all, url) => [
        ...all,
        url
      ]).slice(1)) {
        assert.match(link, /^https:\/\//)
      }
      assert.isTrue(Option.isSome(flavor.docsUrl), flavor.name)
    }
  })

  it("knows where Docker Hub answers and by which key its credentials are kept", () => {
    assert.deepStrictEqual(RegistryFlavor.dockerhub.quirks, {
      apiHost: Option.some("registry-1.docker.io"),
      credentialKey: Option.some("https://index.docker.io/v1/")
    })
    assert.deepStrictEqual(RegistryFlavor.github.quirks, RegistryFlavor.defaultFlavor.quirks)
  })

  it("refuses a path in the address of a private ECR registry only", () => {
    const validate = (flavor: RegistryFlavor.RegistryFlavor, uri: string) =>
      flavor.validateUri(RegistryUri.unsafeParse(uri))
    const host = "715803424592.dkr.ecr.us-east-1.amazonaws.com"
    assert.isTrue(Either.isRight(validate(RegistryFlavor.aws, host)))
    assert.isTrue(Either.isRight(validate(RegistryFlavor.aws, `${host}/`)))
    assert.isTrue(Either.isRight(validate(RegistryFlavor.aws, "public.ecr.aws/a1b2c3d4")))
    const error = Either.getOrThrow(Either.flip(validate(RegistryFlavor.aws, `http://${host}/team/app`)))
    assert.strictEqual(error._tag, "InvalidRegistryUri")
    assert.strictEqual(error.position, `http://${host}`.length)
    assert.match(error.message, /expected no path/)
    for (const flavor of RegistryFlavor.builtin.filter((flavor) => flavor.name !== "aws")) {
      assert.isTrue(Either.isRight(validate(flavor, "reg.io/team/app")), flavor.name)
    }
  })
})

describe("RegistryFlavor.forUri", () => {
  const hosts: Readonly<Record<string, ReadonlyArray<string>>> = {
    azure: [
      "myregistry.azurecr.io",
      "MyRegistry.azurecr.io/team",
      "acme.azurecr.io",
      "myregistry.azurecr.cn",
      "myregistry.azurecr.us",
      "myregistry.azurecr.de",
      "myacr-dnlhash123.azurecr.io",
      "myregistry.eastus.geo.azurecr.io"
    ],
    aws: [
      "715803424592.dkr.ecr.us-east-1.amazonaws.com",
      "715803424592.dkr.ecr.cn-north-1.amazonaws.com.cn",
      "715803424592.dkr.ecr.eusc-de-east-1.amazonaws.eu",
      "715803424592.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
      "715803424592.dkr-ecr.us-east-1.on.aws",
      "715803424592.dkr-ecr-fips.us-east-1.on.aws",
      "715803424592.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
      "715803424592.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
      "715803424592.dkr.ecr.us-iso-east-1.c2s.ic.gov",
      "715803424592.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
      "715803424592.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
      "public.ecr.aws/a1b2c3d4",
      "ecr-public.aws.com/a1b2c3d4"
    ],
    dockerhub: [
      "docker.io",
      "my-account",
      "https://index.docker.io/v1/",
      "registry-1.docker.io/me",
      "registry.hub.docker.com/me"
    ],
    gcp: [
      "europe-west1-docker.pkg.dev/project/repository",
      "us-docker.pkg.dev/project",
      "northamerica-northeast1-docker.pkg.dev",
      "gcr.io/project",
      "us.gcr.io/project",
      "eu.gcr.io/project",
      "asia.gcr.io/project",
      "staging-k8s.gcr.io"
    ],
    github: ["ghcr.io/owner", "GHCR.io/owner"],
    gitlab: ["registry.gitlab.com/group/project"],
    default: [
      "localhost:5000",
      "quay.io/team",
      "evil-azurecr.io",
      "evil.com/x.azurecr.io",
      "myregistry.azurecr.io.evil.com",
      "myregistry.azurecr.com",
      "evilgcr.io/p",
      "gcr-io.com/p",
      "gcr.io.evil.com",
      "a.b.gcr.io",
      "docker.pkg.dev",
      "us-docker-pkg.dev",
      "us-npm.pkg.dev",
      "evil.com/us-docker.pkg.dev",
      "71580342459.dkr.ecr.us-east-1.amazonaws.com",
      "715803424592.dkr.ecr.us-east-1.amazonaws.com.evil.com",
      "715803424592.dkr.ecr.a.b.amazonaws.com",
      "715803424592.dkrxecr.us-east-1.amazonaws.com",
      "evil.public.ecr.aws",
      "evil-docker.io",
      "docker.io.evil.com",
      "ghcr.io.evil.com",
      "xghcr.io",
      "gitlab.com/group",
      "registry.gitlab.com.evil.com"
    ]
  }

  for (const [flavor, uris] of Object.entries(hosts)) {
    it(`infers ${flavor} from each of its hosts`, () => {
      for (const uri of uris) assert.strictEqual(inferred(uri), flavor, uri)
    })
  }

  // A pattern that backtracks over the whole host would not come back from these.
  it("answers for hosts of a hundred thousand characters", () => {
    for (const part of ["a", "-docker", "a.", "a-", "1.dkr.ecr.", ".geo"]) {
      const host = part.repeat(100_000 / part.length)
      for (const flavor of RegistryFlavor.builtin) {
        assert.isFalse(flavor.matchesHost(`${host}.azurecr.io`), flavor.name)
        assert.isFalse(flavor.matchesHost(`715803424592.dkr.ecr.${host}!`), flavor.name)
        assert.isFalse(flavor.matchesHost(`${host}-docker.pkg.dev!`), flavor.name)
      }
    }
  })
})

describe("RegistryFlavor.make", () => {
  const harbor = RegistryFlavor.make({ name: "harbor", matchesHost: (host) => host === "harbor.example.com" })

  it("needs no more than a name", () => {
    const flavor = RegistryFlavor.make({ name: "mine" })
    const uri = RegistryUri.unsafeParse("reg.io/x")
    assert.strictEqual(flavor.displayName, "mine")
    assert.isFalse(flavor.matchesHost("reg.io"))
    assert.isTrue(Either.isRight(flavor.validateUri(uri)))
    assert.deepStrictEqual(flavor.docsUrl, Option.none())
    assert.deepStrictEqual(flavor.quirks, RegistryQuirks.none)
  })

  it.effect("adds a flavor that is inferred where it is provided", () =>
    Effect.gen(function* () {
      const uri = RegistryUri.unsafeParse("Harbor.example.com/team")
      const before = RegistryFlavor.forUri(uri, yield* RegistryFlavor.RegistryFlavors)
      assert.strictEqual(before.name, "default")
      const after = yield* RegistryFlavor.RegistryFlavors.pipe(
        Effect.map((flavors) => RegistryFlavor.forUri(uri, flavors)),
        Effect.provideService(RegistryFlavor.RegistryFlavors, [harbor, ...RegistryFlavor.builtin])
      )
      assert.strictEqual(after.name, "harbor")
    })
  )

  it("lets the first flavor that matches win", () => {
    const mine = RegistryFlavor.make({ name: "mine", matchesHost: (host) => host === "ghcr.io" })
    const uri = RegistryUri.unsafeParse("ghcr.io/me")
    assert.strictEqual(RegistryFlavor.forUri(uri, [mine, ...RegistryFlavor.builtin]).name, "mine")
    assert.strictEqual(RegistryFlavor.forUri(uri, [...RegistryFlavor.builtin, mine]).name, "github")
  })
})
