import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const Outcome = Schema.parseJson(
  Schema.Array(Schema.Struct({ _tag: Schema.String, reason: Schema.String, detail: Schema.String }))
)

/** Asks connectors for a login where the SDKs can not be found, and prints the errors. */
const program = `
import { FetchHttpClient } from "@effect/platform"
import { Effect, Redacted } from "effect"
import { AwsConnector, AzureConnector, DockerConnector, GcpConnector, IdToken } from "./src/index.ts"

const keys = { accessKeyId: "AKIA", secretAccessKey: Redacted.make("canary") }
const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
const idToken = IdToken.make({ origin: "here", get: () => Effect.succeed(Redacted.make("a.b.c")) })
const issue = (options, resource) =>
  Effect.flip(Effect.flatMap(AwsConnector.make(options), (connector) => connector.issue(resource)))

const gcp = (options) =>
  Effect.provide(Effect.flatMap(GcpConnector.make(options), (connector) => connector.issue("gcr.io/lab")), FetchHttpClient.layer)

const azure = (options) =>
  Effect.provide(Effect.flatMap(AzureConnector.make(options), (connector) => connector.issue("lab.azurecr.io")), FetchHttpClient.layer)
const application = { tenantId: "tenant", clientId: "client" }

const errors = await Effect.runPromise(Effect.all([
  issue({ authMethod: "access-key", ...keys }, ecr),
  issue({ authMethod: "access-key", ...keys }, "public.ecr.aws"),
  issue({ authMethod: "web-identity", roleArn: "arn:aws:iam::123456789012:role/r", idToken }, ecr),
  issue({ authMethod: "default-chain", allowImplicitMethods: true }, ecr),
  Effect.flip(gcp({ authMethod: "default-credentials", allowImplicitMethods: true })),
  Effect.flip(azure({ authMethod: "service-principal", ...application, clientSecret: Redacted.make("canary") })),
  Effect.flip(azure({ authMethod: "workload-identity", ...application, idToken })),
  Effect.flip(azure({ authMethod: "managed-identity", allowImplicitMethods: true })),
  Effect.flip(azure({ authMethod: "default-chain", allowImplicitMethods: true }))
]))
await Effect.runPromise(Effect.flatMap(DockerConnector.make({ username: "u", password: Redacted.make("p") }), (_) => _.issue("docker.io")))
await Effect.runPromise(gcp({ authMethod: "access-token", token: Redacted.make("p") }))
console.log(JSON.stringify(errors))
`

describe("an SDK that is not installed", () => {
  let folder = ""

  // A copy of the sources beside which there is no SDK: what finds none is Node itself.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gantry-without-sdk-"))
    cpSync(join(root, "src"), join(folder, "src"), { recursive: true })
    for (const scope of ["@effect", "@noble"]) mkdirSync(join(folder, "node_modules", scope), { recursive: true })
    for (const name of [
      "effect",
      "@effect/platform",
      "@effect/platform-node",
      "@noble/hashes",
      "dockerode",
      "docker-modem",
      "yaml"
    ]) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name))
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }')
    writeFileSync(join(folder, "program.ts"), program)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const run = Effect.promise(() =>
    promisify(execFile)(join(root, "node_modules/.bin/tsx"), [join(folder, "program.ts")])
  )
  const outcome = Effect.flatMap(run, ({ stdout }) => Schema.decodeUnknown(Outcome)(stdout))

  it.live("is named with its range by the connector that needs it, and everything else works", () =>
    Effect.gen(function* () {
      const errors = yield* outcome
      assert.deepStrictEqual(
        errors.map(({ _tag, reason }) => [_tag, reason]),
        errors.map(() => ["ConnectorError", "misconfigured"])
      )
      assert.deepStrictEqual(
        errors.map(({ detail }) => detail),
        [
          ...["client-ecr", "client-ecr-public", "client-sts", "client-sts"].map(
            (name) => `the package @aws-sdk/${name} is not installed; run \`npm install @aws-sdk/${name}@^3\``
          ),
          'the package google-auth-library is not installed; run `npm install "google-auth-library@>=9.15 <12"`',
          ...Array<string>(4).fill(
            'the package @azure/identity is not installed; run `npm install "@azure/identity@>=4.9 <5"`'
          )
        ]
      )
    })
  )

  it.live("is not blamed for a package that it lacks itself, nor for its own faults", () =>
    Effect.gen(function* () {
      const install = (name: string, text: string) => {
        const package_ = join(folder, "node_modules/@aws-sdk", name)
        mkdirSync(package_, { recursive: true })
        writeFileSync(
          join(package_, "package.json"),
          `{ "name": "@aws-sdk/${name}", "type": "module", "main": "index.js" }`
        )
        writeFileSync(join(package_, "index.js"), text)
      }
      install("client-ecr", 'import "@smithy/absent"')
      install("client-ecr-public", 'throw new Error("Cannot find package of mine")')
      const [lacking, faulty] = yield* outcome
      assert.include(lacking?.detail, "@smithy/absent")
      assert.notInclude(lacking?.detail, "npm install")
      assert.include(faulty?.detail, "of mine")
      assert.notInclude(faulty?.detail, "npm install")
    })
  )
})
