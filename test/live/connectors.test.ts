import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as FakeGitHub from "../connector/support/fakeGitHub.ts"
import * as Canary from "./support/canary.ts"
import { readReport, run, temporaryFolder } from "./support/command.ts"
import * as Guard from "./support/guard.ts"
import { admit } from "./support/htpasswd.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const layers = [{ seed: "connectors", size: 20_000 }]

const environment = { APP_KEY: FakeGitHub.privateKeys["PKCS#1"], LAB_TOKEN: LabUser.dev.password }

/**
 * Three registries with connectors: GitHub's App at a fake API, whose token is the one login of a real registry, a
 * deploy token at a real token server, and an App that is not installed.
 */
const world = Effect.gen(function* () {
  const { registries } = yield* LiveStack
  const app = yield* Stack.registry("htpasswd")
  yield* admit(app, "x-access-token", "ghs_16C7e42F292c6912E7")
  const github = yield* FakeGitHub.make({ token: () => "ghs_16C7e42F292c6912E7", now: () => Date.now() })
  const folder = yield* temporaryFolder
  const config = join(folder, "gantry.yaml")
  yield* Effect.promise(() =>
    writeFile(
      config,
      `version: 1
registries:
  app: { uri: "${app.host}/acme", connector: pusher }
  lab: { uri: "${registries.token.host}", connector: bot, defaultRepository: live/connectors }
  stranger: { uri: "${app.host}/stranger", connector: pusher }
connectors:
  pusher:
    type: github
    method: app-installation
    appId: "7"
    privateKey: { env: APP_KEY }
    host: "${app.host}"
    apiUrl: "${github.apiUrl}"
  bot: { type: gitlab, method: deploy-token, username: ${LabUser.dev.username}, token: { env: LAB_TOKEN }, host: "${registries.token.host}" }
`
    )
  )
  return { app, config, folder, github, lab: registries.token }
})

describeLive("connectors of gantry.yaml", (it) => {
  it.scoped("are verified with what they issue, until when, and one that is denied spoils its own registry only", () =>
    Effect.gen(function* () {
      const { config } = yield* world
      const before = Date.now()
      const { code, stdout } = yield* run(["verify", "--all", "--config", config, "--output", "json"], { environment })
      const [app, lab, stranger] = JSON.parse(stdout).results
      assert.deepInclude(app, {
        name: "app",
        status: "verified",
        credential: "connector pusher (github, app-installation)"
      })
      const left = Date.parse(app.expiry) - before
      assert.isTrue(left > 3_590_000 && left < 3_700_000, app.expiry)
      assert.deepInclude(lab, {
        status: "verified",
        credential: "connector bot (gitlab, deploy-token)",
        expiry: "unknown",
        push: "granted"
      })
      assert.deepInclude(stranger, { name: "stranger", status: "failed", push: "unknown" })
      assert.deepInclude(stranger.error, { _tag: "ConnectorError", reason: "denied" })
      assert.strictEqual(code, 3)
    })
  )

  it.scoped("push to their registries, with one issue for all pushes to one of them", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const { app, config, folder, github, lab } = yield* world
      const source = `${uniqueRepository("source")}:v1`
      yield* loadedImage(engine, { tags: [source], layers })
      const report = join(folder, "report.json")
      const repository = uniqueRepository("connectors")
      const targets = [`@app/${repository}`, `@app/${repository}-again`, `@lab/${repository}`].flatMap((to) => [
        "--to",
        to
      ])
      const pushed = yield* run(["push", source, ...targets, "--config", config, "--report", report], {
        engine,
        environment
      })
      assert.strictEqual(pushed.code, 0, pushed.stderr)
      const { digest } = yield* skopeoInspect(`${lab.host}/${repository}:v1`, LabUser.dev)
      assert.strictEqual(
        pushed.stdout,
        [`${app.host}/acme/${repository}`, `${app.host}/acme/${repository}-again`, `${lab.host}/${repository}`]
          .map((name) => `${name}@${digest}\n`)
          .join("")
      )
      assert.deepStrictEqual((yield* readReport(report)).pushed, 3)
      assert.strictEqual(github.issues(), 1)
    })
  )
})

/** Long enough that no other text has it. */
const piecesOf = (pem: string) => pem.split("\n").filter((line) => line.length > 40 && !line.includes("KEY"))

describeLive("the secrets of a connector", (it) => {
  for (const outcome of ["let in", "refused by the registry", "refused by GitHub"] as const) {
    it.scoped(`are in nothing that gantry writes, when it is ${outcome}`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const folder = yield* temporaryFolder
        const token = Canary.make("issued").replace(/[^\w-]/g, "")
        const key = FakeGitHub.privateKeys["PKCS#8"]
        const github = yield* FakeGitHub.make({
          token: () => token,
          now: () => Date.now(),
          instead: ({ headers }) =>
            outcome === "refused by GitHub"
              ? { status: 401, body: { message: `no: ${headers.authorization}` } }
              : undefined
        })
        const guard = yield* Guard.make({
          target: registries.open.host,
          challenge: "basic",
          token: "unused",
          ...(outcome === "refused by the registry" ? { repeatsSecrets: (said) => said } : {})
        })
        const config = join(folder, "gantry.yaml")
        yield* Effect.promise(() =>
          writeFile(
            config,
            `version: 1
registries: { guarded: { uri: "${guard.host}/acme", connector: pusher } }
connectors:
  pusher: { type: github, method: app-installation, appId: "7", privateKey: { env: APP_KEY }, host: "${guard.host}", apiUrl: "${github.apiUrl}" }
`
          )
        )
        const reference = `${guard.host}/acme/${uniqueRepository("canary")}:v1`
        yield* loadedImage(engine, { tags: [reference], layers })
        const [events, report] = [join(folder, "events"), join(folder, "report.json")]
        const options = { engine, environment: { APP_KEY: key, DEBUG: "*" } }
        const push = ["push", reference, "--config", config, "--retries", "0", "--progress", "json"]
        const pushed = yield* run([...push, "--events", events, "--report", report], options)
        const verified = yield* run(["verify", "guarded", "--config", config, "--output", "json"], options)
        const files = yield* run(["config", "check", config], options)

        const told = [...(yield* guard.told), ...github.requests.map(({ headers }) => headers.authorization ?? "")]
        const proofs = told.filter((said) => said.startsWith("Bearer "))
        assert.isNotEmpty(proofs, "GitHub was asked")
        const isTold = outcome !== "refused by GitHub"
        assert.strictEqual(Canary.leaksIn(told.join("\n"), { token }).length > 0, isTold, "the registry was told")
        const kept = yield* Effect.promise(() => Promise.all([events, report].map((file) => readFile(file, "utf8"))))
        const written = [pushed, verified, files].flatMap(({ stderr, stdout }) => [stdout, stderr]).join("\n") + kept
        assert.include(written, reference, "what was written is looked at")
        const signatures = proofs.map((proof) => proof.slice("Bearer ".length))
        for (const secret of [...piecesOf(key), ...signatures]) assert.notInclude(written, secret)
        if (isTold) assert.deepStrictEqual(Canary.leaksIn(written, { token }), [])
        assert.deepStrictEqual([pushed.code, verified.code], outcome === "let in" ? [0, 0] : [3, isTold ? 0 : 3])
      })
    )
  }
})
