import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { nobody } from "../connector/support/loopback.ts"
import { fakeAws, jsonAnswer } from "../support/fakeAws.ts"
import { at, gantry, written } from "./support/registries.ts"

const ecrHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

const variables = { KEY: "aws-canary-secret", CLIENT_SECRET: "azure-canary-secret" }

const keys = "type: aws, method: access-key, accessKeyId: AKIALAB, secretAccessKey: { env: KEY }, region: eu-west-1"
const application =
  "tenantId: 00000000-0000-0000-0000-000000000000, clientId: 11111111-1111-1111-1111-111111111111, clientSecret: { env: CLIENT_SECRET }"

const aws = Effect.tap(fakeAws, (aws) =>
  Effect.sync(() =>
    aws.answer("GetAuthorizationToken", jsonAnswer({ authorizationData: [{ proxyEndpoint: `https://${ecrHost}` }] }))
  )
)

const withConnectors = (connectors: Readonly<Record<string, string>>) =>
  written(
    "gantry.yaml",
    `version: 1\nconnectors:\n${Object.entries(connectors)
      .map(([name, fields]) => `  ${name}: { ${fields} }\n`)
      .join("")}`
  )

const azureProd = `type: azure, method: service-principal, ${application}`
const cannotTell = "The azure connector failed (unsupported): Azure lists registries to who may read their subscription"

describe("gantry verify --list", () => {
  it.scoped("shows what each connector may use, in the order of the file, or why it can not tell", () =>
    Effect.gen(function* () {
      const config = yield* withConnectors({
        "ecr-prod": `${keys}, ecrEndpoint: "${(yield* aws).url}"`,
        "azure-prod": azureProd
      })
      const { code, stderr, stdout } = yield* gantry(["verify", "--list", "--config", config])
      const [ecr, azure, ...rest] = stdout.split("\n")
      assert.strictEqual(ecr, `listed       ecr-prod (aws, access-key)  registries: ${ecrHost}`)
      assert.isTrue(
        azure?.startsWith(`unsupported  azure-prod (azure, service-principal)  error: ${cannotTell}`),
        azure
      )
      assert.deepStrictEqual([code, stderr, rest], [0, "", [""]])
    }).pipe(at({ variables }))
  )

  it.scoped("has it in JSON, too", () =>
    Effect.gen(function* () {
      const config = yield* withConnectors({
        "ecr-prod": `${keys}, ecrEndpoint: "${(yield* aws).url}"`,
        "azure-prod": azureProd,
        unset: `type: azure, method: access-token, token: { env: UNSET }`
      })
      const { code, stdout } = yield* gantry(["verify", "--list", "--output", "json", "--config", config])
      const { results, ...report } = JSON.parse(stdout)
      assert.deepStrictEqual(report, { schemaVersion: 1, total: 3, listed: 1, unsupported: 1, failed: 1 })
      const [listed, unsupported, failed] = results
      assert.deepStrictEqual(listed, {
        connector: "ecr-prod",
        type: "aws",
        method: "access-key",
        status: "listed",
        registries: [ecrHost]
      })
      assert.deepInclude(unsupported, { connector: "azure-prod", status: "unsupported" })
      assert.deepInclude(unsupported.error, { _tag: "ConnectorError", reason: "unsupported", transient: false })
      assert.deepInclude(failed, { connector: "unset", status: "failed" })
      assert.deepInclude(failed.error, { reason: "misconfigured" })
      assert.strictEqual(code, 3)
    }).pipe(at({ variables }))
  )

  it.scoped("fails as an authentication that is worth no other try, or one that is", () =>
    Effect.gen(function* () {
      const down = yield* withConnectors({ ecr: `${keys}, ecrEndpoint: "http://${yield* nobody}"` })
      const { code, stdout } = yield* gantry(["verify", "--list", "--config", down])
      assert.isTrue(stdout.startsWith("failed       ecr (aws, access-key)  error: "), stdout)
      assert.include(stdout, "(unavailable)")
      assert.notInclude(stdout, "canary")
      assert.strictEqual(code, 3)
    }).pipe(at({ variables }))
  )

  it.scoped("waits half a minute for a cloud, and no longer", () =>
    Effect.gen(function* () {
      const cloud = yield* fakeAws
      cloud.answer("GetAuthorizationToken", "silence")
      const config = yield* withConnectors({ ecr: `${keys}, ecrEndpoint: "${cloud.url}"` })
      const running = yield* Effect.fork(gantry(["verify", "--list", "--config", config]))
      yield* until(() => cloud.actions().length > 0)
      yield* TestClock.adjust("31 seconds")
      const { code, stdout } = yield* Fiber.join(running)
      assert.include(stdout, "no answer within 30 seconds")
      assert.strictEqual(code, 3)
    }).pipe(at({ variables }))
  )

  it.scoped("is refused where it would list nothing, or do something else besides", () =>
    Effect.gen(function* () {
      const config = yield* withConnectors({ "azure-prod": azureProd })
      const without = yield* written("without.yaml", "version: 1\nregistries: { prod: { uri: reg.test } }\n")
      for (const words of [["prod"], ["--all"], ["--write", "team/app"]]) {
        const { code, stderr, stdout } = yield* gantry(["verify", "--list", ...words, "--config", config])
        assert.deepStrictEqual([code, stdout], [2, ""])
        assert.include(stderr, "--list is of the file's connectors")
      }
      const { code, stderr } = yield* gantry(["verify", "--list", "--config", without])
      assert.strictEqual(code, 2)
      assert.include(stderr, "has no connectors")
    }).pipe(at({ variables }))
  )
})

/** Lets the event loop run until something has happened; the test's time limit is the end of the wait. */
const until = (happened: () => boolean): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const look = () => (happened() ? resume(Effect.void) : void setImmediate(look))
    look()
  })
