import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FakeGitHub from "../connector/support/fakeGitHub.ts"
import { nobody } from "../connector/support/loopback.ts"
import { at, gantry, user, written } from "./support/registries.ts"

/** GitHub's token is the password of the one who may push. */
const pusher = user("x-access-token", ["pull", "push"])

const authentication = { type: "token", users: [pusher] } as const

const variables = { KEY: FakeGitHub.privateKeys["PKCS#8"], GITHUB_TOKEN: "x-access-token-password", GITHUB_ACTOR: "x" }

/** A file whose connectors reach, and do not reach, a GitHub that issues the right token. */
const file = Effect.gen(function* () {
  const github = yield* FakeGitHub.make({ token: () => "x-access-token-password" })
  const app = (apiUrl: string, host: string) =>
    `{ type: github, method: app-installation, appId: "7", privateKey: { env: KEY }, host: ${host}, apiUrl: "${apiUrl}" }`
  const config = yield* written(
    "gantry.yaml",
    `
version: 1
registries:
  main: { uri: reg.test/acme, connector: pusher, defaultRepository: app }
  stranger: { uri: reg.test/stranger, connector: pusher }
  gone: { uri: gone.test/acme, connector: gone }
  off: { uri: reg.test/off, connector: off }
  unset: { uri: reg.test/unset, connector: unset }
connectors:
  pusher: ${app(github.apiUrl, "reg.test")}
  gone: ${app(`http://${yield* nobody}`, "gone.test")}
  off: { type: github, method: actions-token, host: reg.test }
  unset: { type: github, method: token, token: { env: UNSET }, host: reg.test }
`
  )
  return { config, github }
})

describe("gantry verify with connectors", () => {
  it.scoped("says which connector the credential came from and when it ends, on one line and in JSON", () =>
    Effect.gen(function* () {
      const { config } = yield* file
      const { code, stderr, stdout } = yield* gantry(["verify", "@main", "--config", config])
      assert.strictEqual(
        stdout,
        "ok      @main (reg.test/acme)  answers: yes  credential: connector pusher (github, app-installation)  expires: 1970-01-01T01:00:00.000Z  repository: acme/app  push: granted\n"
      )
      assert.deepStrictEqual([code, stderr], [0, ""])
    }).pipe(at({ variables, authentication }))
  )

  it.scoped("has it in JSON, too", () =>
    Effect.gen(function* () {
      const { config } = yield* file
      const { stdout } = yield* gantry(["verify", "main", "--config", config, "--output", "json"])
      const { results } = JSON.parse(stdout)
      assert.deepInclude(results[0], {
        status: "verified",
        credential: "connector pusher (github, app-installation)",
        expiry: "1970-01-01T01:00:00.000Z",
        push: "granted"
      })
    }).pipe(at({ variables, authentication }))
  )

  it.scoped("finds what is wrong with each registry's connector, verifies the others, and exits 3", () =>
    Effect.gen(function* () {
      const { config } = yield* file
      const { code, stdout } = yield* gantry(["verify", "--all", "--config", config])
      assert.strictEqual(code, 3)
      const lines = stdout.trimEnd().split("\n")
      const expected = [
        /^ok {6}@main .*push: granted$/,
        /^failed {2}@stranger .*answers: not asked {2}push: unknown {2}error: .*github connector .*\(denied\).*404/,
        /^failed {2}@gone .*answers: not asked .*\(unavailable\).*ECONNREFUSED/,
        /^failed {2}@off .*\(misconfigured\).*allowImplicitMethods/,
        /^failed {2}@unset .*\(misconfigured\).*the environment variable UNSET/
      ]
      assert.lengthOf(lines, expected.length)
      for (const [index, pattern] of expected.entries()) assert.match(lines[index] ?? "", pattern)
      for (const secret of Object.values(variables).slice(0, 2)) assert.notInclude(stdout, secret)
    }).pipe(at({ variables, authentication }))
  )

  it.scoped("asks no connector that no registry of the run has", () =>
    Effect.gen(function* () {
      const { config, github } = yield* file
      yield* gantry(["verify", "unset", "--config", config])
      assert.lengthOf(github.requests, 0)
    }).pipe(at({ variables, authentication }))
  )

  it.scoped("refuses a password on standard input beside a connector that reads it", () =>
    Effect.gen(function* () {
      const config = yield* written(
        "gantry.yaml",
        `version: 1
registries: { main: { uri: reg.test, connector: piped } }
connectors: { piped: { type: docker, method: password, username: me, password: { stdin: true }, registry: reg.test } }
`
      )
      const login = ["--username", "me", "--password-stdin"]
      const { code, stderr } = yield* gantry(["verify", "main", "--config", config, ...login])
      assert.strictEqual(code, 2)
      assert.include(stderr, "the connector piped of")
    }).pipe(at({ stdin: "x" }))
  )
})
