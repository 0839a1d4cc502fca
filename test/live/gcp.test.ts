import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import { MiB } from "../../scripts/lib/stack/ImageFixture.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as FakeGoogle from "../connector/support/fakeGoogle.ts"
import { readReport, run, temporaryFolder } from "./support/command.ts"
import { admit } from "./support/htpasswd.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const username = "oauth2accesstoken"

/** They differ in their first 72 bytes, which is all that bcrypt looks at. */
const tokenOf = (issue: number): string => `ya29.canary-${issue}-${"t".repeat(150)}`

const claims = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")
const webToken = `${claims({ alg: "RS256" })}.${claims({ exp: 4_000_000_000 })}.idtoken-canary-signature`

/**
 * Google, whose newest token is the one password that a real registry takes, and a gantry.yaml with a connector for each way
 * to get one.
 */
const world = Effect.fnUntraced(function* (lifetime: (issue: number) => number) {
  const registry = yield* Stack.registry("htpasswd")
  const proxy = yield* FaultProxy.make({ target: registry.host })
  let issues = 0
  /** What the registry had been asked when each token was issued. */
  const before: Array<ReadonlyArray<FaultProxy.RecordedRequest>> = []
  const google = yield* FakeGoogle.make({
    now: () => Date.now(),
    lifetime: () => lifetime(issues),
    token: (action) => {
      // What an identity is exchanged for before it acts as a service account is no registry's password.
      if (action === "token-exchange") return "ya29.canary-federated"
      const token = tokenOf(++issues)
      return Effect.runPromise(
        Effect.gen(function* () {
          yield* admit(registry, username, token)
          before.push(yield* proxy.requests)
          return token
        })
      )
    }
  })
  const config = join(yield* temporaryFolder, "gantry.yaml")
  const { sts: url } = google.endpoints
  const text = `version: 1
registries:
  key: { uri: "${proxy.host}/lab", connector: key }
  job: { uri: "${proxy.host}/job", connector: job }
  machine: { uri: "${proxy.host}/machine", connector: machine }
  other: { uri: "${proxy.host}/other", connector: other }
connectors:
  key: { type: gcp, method: service-account, key: { env: KEY }, host: "${proxy.host}" }
  other: { type: gcp, method: service-account, key: { env: OTHER_KEY }, host: "${proxy.host}" }
  machine: { type: gcp, method: default-credentials, allowImplicitMethods: true, host: "${proxy.host}" }
  job:
    type: gcp
    method: workload-identity
    workloadIdentityProvider: projects/123/locations/global/workloadIdentityPools/ci/providers/gitlab
    serviceAccount: deploy@lab.iam.gserviceaccount.com
    idToken: { env: ID_TOKEN }
    host: "${proxy.host}"
    stsEndpoint: "${url}"
    iamCredentialsEndpoint: "${url}"
`
  yield* Effect.promise(() => writeFile(config, text))
  const environment = {
    KEY: FakeGoogle.keyFile(google.tokenUri),
    OTHER_KEY: FakeGoogle.keyFile(google.tokenUri, { client_email: "stranger@lab.iam.gserviceaccount.com" }),
    ID_TOKEN: webToken,
    GCE_METADATA_HOST: google.host,
    METADATA_SERVER_DETECTION: "assume-present"
  }
  return { before, config, environment, google, issues: () => issues, proxy }
})

const isSecret = (line: string) => line.length > 40 && !line.includes("KEY")
const secrets = ["canary", webToken, ...FakeGoogle.privateKeyPem.split("\n").filter(isSecret)]

describeLive("a gcp connector of gantry.yaml", (it) => {
  it.scoped("verifies by a key, a job's identity or the machine's, and says who is denied", () =>
    Effect.gen(function* () {
      const { config, environment, google } = yield* world(() => 3599)
      const before = Date.now()
      const verify = (name: string) =>
        Effect.map(
          run(["verify", name, "--config", config, "--output", "json"], { environment }),
          ({ code, stderr, stdout }) => {
            for (const secret of secrets) assert.notInclude(stdout + stderr, secret)
            return { code, result: JSON.parse(stdout).results[0] }
          }
        )
      const connectors = {
        key: "connector key (gcp, service-account)",
        job: "connector job (gcp, workload-identity)",
        machine: "connector machine (gcp, default-credentials)"
      }
      for (const [name, credential] of Object.entries(connectors)) {
        const { code, result } = yield* verify(name)
        assert.deepInclude(result, { name, status: "verified", credential })
        const left = Date.parse(result.expiry) - before
        assert.isTrue(left > 3_590_000 && left < 3_900_000, result.expiry)
        assert.strictEqual(code, 0)
      }
      const { code, result } = yield* verify("other")
      assert.deepInclude(result.error, { _tag: "ConnectorError", reason: "denied" })
      assert.strictEqual(code, 3)
      assert.deepStrictEqual(google.actions(), [
        "jwt-bearer",
        "token-exchange",
        "generateAccessToken",
        "metadata",
        "jwt-bearer"
      ])
    })
  )

  it.scoped("loses no push of ten when the token ends in the middle, and asks for one more token", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      // The first token ends while the pushes run, the second does not.
      const { before, config, environment, issues, proxy } = yield* world((issue) => (issue === 1 ? 8 : 3599))
      yield* proxy.add({ method: "PATCH", bytesPerSecond: MiB })
      const repository = `${proxy.host}/lab/${uniqueRepository("gcp")}`
      const images = Arr.makeBy(10, (index) => `${repository}/image-${index}:v1`)
      yield* Effect.forEach(images, (image) =>
        loadedImage(engine, { tags: [image], layers: [{ seed: image, size: 3 * MiB }] })
      )
      const folder = yield* temporaryFolder
      const [events, report] = [join(folder, "events"), join(folder, "report.json")]
      const options = ["--concurrency", "2", "--config", config, "--events", events, "--report", report]
      const pushed = yield* run(["push", ...images, ...options], { engine, environment })

      assert.strictEqual(pushed.code, 0, pushed.stderr)
      const { results, ...counts } = yield* readReport(report)
      assert.deepInclude(counts, { total: 10, pushed: 10, failed: 0 })
      assert.strictEqual(issues(), 2)
      const asked = before[1] ?? []
      assert.isNotEmpty(
        asked.filter(({ method, status }) => method === "PATCH" && status === 202),
        "the first token was used"
      )
      const isManifest = ({ method, path }: FaultProxy.RecordedRequest) =>
        method === "PUT" && path.includes("/manifests/")
      assert.isBelow(asked.filter(isManifest).length, 10, "the second token was needed")
      const last = yield* skopeoInspect(images.at(-1) ?? "", { username, password: tokenOf(2) })
      assert.strictEqual(results.at(-1)?.digest, last.digest)
      const kept = yield* Effect.promise(() => Promise.all([events, report].map((file) => readFile(file, "utf8"))))
      const said = [pushed.stdout, pushed.stderr, ...kept].join("\n")
      assert.include(said, repository, "what was written is looked at")
      for (const secret of secrets) assert.notInclude(said, secret)
    })
  )
})
