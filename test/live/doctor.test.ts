import { chmod, mkdir, writeFile } from "node:fs/promises"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { delimiter, join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import type { Finding } from "../../src/cli/Finding.ts"
import { run, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, uniqueRepository } from "./support/stack.ts"

const secrets = `
secrets:
  dev: { username: ${LabUser.dev.username}, password: { env: DEV_PASSWORD } }
  wrong: { username: ${LabUser.dev.username}, password: { env: WRONG_PASSWORD } }
`

const passwords = { DEV_PASSWORD: LabUser.dev.password, WRONG_PASSWORD: "certainly-not-it" }

/** Writes the files of a user into a folder that is gone with the scope. */
const home = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const folder = yield* temporaryFolder
  yield* Effect.forEach(Object.entries(files), ([name, text]) =>
    Effect.promise(() => writeFile(join(folder, name), text))
  )
  return folder
})

const gantryFile = (registries: ReadonlyArray<string>) =>
  ["version: 1", "registries:", ...registries.map((line) => `  ${line}`), secrets].join("\n")

/** A registry whose clock is so far from this machine's, in milliseconds. */
const skewedRegistry = (skew: number) =>
  Effect.acquireRelease(
    Effect.async<http.Server>((resume) => {
      const server = http.createServer((_, response) => {
        response.setHeader("date", new Date(Date.now() + skew).toUTCString())
        response.writeHead(200, { "content-type": "application/json" })
        response.end("{}")
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`))

/** Runs the doctor and gives its findings; nothing of what is secret may be in what it says. */
const examine = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  options: { readonly engine?: { readonly host: string }; readonly environment: Readonly<Record<string, string>> }
) {
  const { code, stderr, stdout } = yield* run(["doctor", "--output", "json", ...args], {
    ...options,
    environment: { ...passwords, ...options.environment }
  })
  for (const password of Object.values(passwords)) assert.notInclude(stdout + stderr, password)
  const findings: ReadonlyArray<Finding> = JSON.parse(stdout).findings
  const of = (check: Finding["check"]) => findings.filter((finding) => finding.check === check)
  return { code, findings, of, failed: findings.filter(({ status }) => status === "failed").map(({ check }) => check) }
})

describeLive("gantry doctor", (it) => {
  it.scoped("exits 0 when everything is right, and says so of each thing", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* home({
        "config.json": "{}",
        "gantry.yaml": gantryFile([
          `open: { uri: "${registries.open.host}" }`,
          `password: { uri: "${registries.htpasswd.host}", secret: dev }`,
          `token: { uri: "${registries.token.host}", secret: dev, defaultRepository: live/doctor }`
        ])
      })
      const { code, findings, of } = yield* examine(["--config", join(folder, "gantry.yaml")], {
        engine,
        environment: { DOCKER_CONFIG: folder }
      })
      // An engine of a distribution's own may be too old for --platform, which is worth a warning.
      assert.deepStrictEqual(
        findings.filter(({ check, status }) => check !== "engine" && status !== "ok" && status !== "skipped"),
        []
      )
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(
        (["insecure-registries", "registry", "clock"] as const).map((check) => of(check).map((one) => one.status)),
        [
          ["ok", "ok", "ok"],
          ["ok", "ok", "ok"],
          ["ok", "ok", "ok"]
        ]
      )
      assert.match(of("engine")[0]?.what ?? "", /\(from DOCKER_HOST\) answers: version \S+, API 1\.\d+, linux\//)
      assert.match(of("registry")[2]?.what ?? "", /with secret dev\. Push to live\/doctor: granted\.$/)
    })
  )

  it.scoped("names a stopped engine, a malformed config.json and an unknown context in one run, and exits 1", () =>
    Effect.gen(function* () {
      const engine = yield* Stack.engine()
      yield* engine.stop
      const folder = yield* home({ "config.json": '{ "auths": { "reg": }' })
      const environment = { DOCKER_CONFIG: folder, DOCKER_CONTEXT: "nobody-made-this" }
      const { code, failed, of } = yield* examine([], { engine, environment })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(failed, ["engine", "docker-config"])
      assert.match(of("engine")[0]?.what ?? "", new RegExp(`No Docker Engine answers at ${engine.host}`))
      assert.match(of("docker-config")[0]?.what ?? "", /config\.json \(at character \d+\) can not be used/)
      assert.match(of("context")[1]?.what ?? "", /"nobody-made-this".* It is not used now: DOCKER_HOST goes before it/)

      const chosen = yield* examine(["--context", "nobody-made-this"], { engine, environment })
      assert.deepStrictEqual([chosen.code, chosen.failed.includes("context")], [1, true])
      assert.include(chosen.failed, "docker-config")
    })
  )

  it.scoped("tells a registry that is down, a wrong password and a clock an hour off from each other", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const gone = yield* Stack.registry("open")
      yield* gone.kill
      const slow = yield* skewedRegistry(-3_600_000)
      const near = yield* skewedRegistry(-120_000)
      const folder = yield* home({
        "config.json": "{}",
        "gantry.yaml": gantryFile([
          `gone: { uri: "${gone.host}" }`,
          `wrong: { uri: "${registries.htpasswd.host}", secret: wrong }`,
          `slow: { uri: "${slow}" }`,
          `near: { uri: "${near}" }`
        ])
      })
      const { code, failed, of } = yield* examine(["--config", join(folder, "gantry.yaml")], {
        engine,
        environment: { DOCKER_CONFIG: folder }
      })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(failed, ["registry", "registry", "clock"])
      assert.match(of("registry")[0]?.what ?? "", /^@gone .* refuses connections/)
      assert.match(of("registry")[1]?.what ?? "", /^@wrong .*, with secret wrong: .* does not accept the credential/)
      assert.deepStrictEqual(
        of("clock").map(({ status }) => status),
        ["skipped", "ok", "failed", "warning"]
      )
      assert.match(of("clock")[2]?.what ?? "", /clock is (?:59 min 59|60 min \d) s ahead of that of/)
    })
  )

  it.scoped("tells a helper that is missing from one that answers, and shows nothing of the answer", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* home({
        "config.json": JSON.stringify({
          credsStore: "nobody-installed-this",
          credHelpers: { [registries.htpasswd.host]: "lab" }
        }),
        "gantry.yaml": gantryFile([`password: { uri: "${registries.htpasswd.host}" }`])
      })
      const programs = join(folder, "bin")
      const helper = join(programs, "docker-credential-lab")
      const answer = JSON.stringify({ Username: LabUser.dev.username, Secret: LabUser.dev.password })
      yield* Effect.promise(async () => {
        await mkdir(programs)
        await writeFile(helper, `#!/bin/sh\ncat > /dev/null\necho '${answer}'\n`)
        await chmod(helper, 0o755)
      })
      const { code, failed, of } = yield* examine(["--config", join(folder, "gantry.yaml")], {
        engine,
        environment: { DOCKER_CONFIG: folder, PATH: `${programs}${delimiter}${process.env["PATH"]}` }
      })
      assert.strictEqual(code, 1)
      assert.deepStrictEqual(failed, ["credential-helper"])
      const [missing, answering] = of("credential-helper")
      assert.match(missing?.what ?? "", /docker-credential-nobody-installed-this .* it is not on the PATH/)
      assert.match(answering?.what ?? "", /^docker-credential-lab .* answers: it holds a credential for/)
      assert.strictEqual(of("registry")[0]?.status, "ok")
    })
  )
})

describeLive("gantry push of an image that is not there", (it) => {
  it.scoped("names the images of the engine that may have been meant", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const repository = `${registries.open.host}/${uniqueRepository("near")}`
      yield* loadedImage(engine, { tags: [`${repository}:v1`], layers: [{ seed: "near", size: 20_000 }] })
      const { code, stderr } = yield* run(["push", `${repository}:v2`], { engine })
      assert.strictEqual(code, 1)
      assert.include(stderr, `There is no image ${repository}:v2`)
      assert.include(stderr, `Did you mean ${repository}:v1? If not, build or pull it first.`)
    })
  )
})
