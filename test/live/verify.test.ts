import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import { run, temporaryFolder } from "./support/command.ts"
import { push } from "./support/gantry.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const written = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const folder = yield* temporaryFolder
  yield* Effect.forEach(Object.entries(files), ([name, text]) =>
    Effect.promise(() => writeFile(join(folder, name), text))
  )
  return (name: string) => join(folder, name)
})

const secrets = `
secrets:
  dev: { username: ${LabUser.dev.username}, password: { env: DEV_PASSWORD } }
  ro: { username: ${LabUser.readOnly.username}, password: { file: ro } }
  wrong: { username: ${LabUser.dev.username}, password: { file: wrong } }
`

const environment = { DEV_PASSWORD: LabUser.dev.password }

/** A file with the stack's registries under every name of a credential, as `token-ro`, and what its secrets need. */
const stackFile = Effect.gen(function* () {
  const { registries } = yield* LiveStack
  const entries = (["htpasswd", "token"] as const).flatMap((kind) =>
    ["dev", "ro", "wrong"].map(
      (who) => `  ${kind}-${who}: { uri: "${registries[kind].host}", secret: ${who}, defaultRepository: live/verify }`
    )
  )
  const path = yield* written({
    "gantry.yaml": `version: 1\nregistries:\n${entries.join("\n")}\n${secrets}`,
    ro: `${LabUser.readOnly.password}\n`,
    wrong: "certainly-not-it\n"
  })
  return path("gantry.yaml")
})

interface Row {
  readonly name: string
  readonly status: string
  readonly push: string
  readonly error?: { readonly _tag: string }
}

const rowsOf = (stdout: string): ReadonlyArray<Row> => JSON.parse(stdout).results

describeLive("gantry verify", (it) => {
  it.scoped("tells right, wrong and read-only credentials of both kinds of registry apart, and writes nothing", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const config = yield* stackFile
      const verify = run(["verify", "--all", "--config", config, "--output", "json"], { environment })
      const [[ended, toToken], toPassword] = yield* registries.htpasswd.observe(registries.token.observe(verify))
      const found = rowsOf(ended.stdout).map(({ error, name, push, status }) => [name, status, push, error?._tag])
      assert.deepStrictEqual(found, [
        ["htpasswd-dev", "verified", "unknown", undefined],
        ["htpasswd-ro", "verified", "unknown", undefined],
        ["htpasswd-wrong", "failed", "unknown", "RegistryUnauthorized"],
        ["token-dev", "verified", "granted", undefined],
        ["token-ro", "failed", "refused", "RegistryDenied"],
        ["token-wrong", "failed", "unknown", "RegistryUnauthorized"]
      ])
      assert.strictEqual(ended.code, 3)
      assert.isTrue([...toToken, ...toPassword].every(({ method }) => method === "GET"))
      assert.notInclude(ended.stdout + ended.stderr, "certainly-not-it")
    })
  )

  it.scoped("exits 0 with a line for each when every credential works", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const config = yield* stackFile
      const { code, stdout } = yield* run(["verify", "@htpasswd-dev", "token-dev", registries.open.host], {
        environment: { ...environment, GANTRY_CONFIG: config }
      })
      assert.strictEqual(code, 0)
      assert.match(stdout, /^ok .*@htpasswd-dev .*credential: secret dev .*\nok .*push: granted\nok .*credential: none/)
    })
  )

  it.scoped("proves the right to push with --write, and that a token's user has none", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const config = yield* stackFile
      const write = (name: string) =>
        run(["verify", name, "--write", uniqueRepository("write"), "--config", config, "--output", "json"], {
          environment
        })
      const [granted, requests] = yield* registries.htpasswd.observe(write("htpasswd-dev"))
      assert.deepStrictEqual([granted.code, rowsOf(granted.stdout)[0]?.push], [0, "granted"])
      assert.deepStrictEqual(
        requests.filter(({ status }) => status !== 401).map(({ method }) => method),
        ["POST", "DELETE"]
      )
      const refused = yield* write("token-ro")
      assert.deepStrictEqual([refused.code, rowsOf(refused.stdout)[0]?.push], [3, "refused"])
    })
  )

  it.scoped("takes the password from standard input, for a host and through the file", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const { dev } = LabUser
      const login = ["verify", registries.htpasswd.host, "--username", dev.username, "--password-stdin"]
      assert.strictEqual((yield* run(login, { stdin: `${dev.password}\n` })).code, 0)
      assert.strictEqual((yield* run(login, { stdin: "certainly-not-it\n" })).code, 3)
      const path = yield* written({
        "gantry.yaml": `version: 1
registries: { here: { uri: "${registries.htpasswd.host}", secret: piped } }
secrets: { piped: { username: ${dev.username}, password: { stdin: true } } }
`
      })
      const piped = yield* run(["verify", "here", "--config", path("gantry.yaml")], { stdin: `${dev.password}\n` })
      assert.strictEqual(piped.code, 0)
    })
  )

  it.scoped("tells plain HTTP where TLS was expected, and a registry that is gone, from a wrong password", () =>
    Effect.gen(function* () {
      const registry = yield* Stack.registry("open")
      const path = yield* written({
        "gantry.yaml": `version: 1\nregistries: { here: { uri: "${registry.host}", tls: verify } }\n`
      })
      const verify = (...args: ReadonlyArray<string>) =>
        run(["verify", "here", "--config", path("gantry.yaml"), ...args])
      const plain = yield* verify()
      assert.deepStrictEqual([plain.code, plain.stdout.includes("plain HTTP where HTTPS was expected")], [1, true])
      assert.strictEqual((yield* verify("--plain-http", registry.host)).code, 0)
      yield* registry.kill
      const gone = yield* verify("--plain-http", registry.host)
      assert.deepStrictEqual([gone.code, gone.stdout.includes("nothing listens there")], [5, true])
      assert.include(gone.stdout, "answers: no")
    })
  )
})

describeLive("gantry digest", (it) => {
  it.scoped("prints what skopeo sees, and exits 1 for a tag that is not there", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const config = yield* stackFile
      const repository = uniqueRepository("digest")
      const reference = `${registries.token.host}/${repository}:v1`
      yield* loadedImage(engine, { tags: [reference], layers: [{ seed: "digest", size: 20_000 }] })
      yield* push(engine, reference, { credentials: LabUser.dev })
      const { digest } = yield* skopeoInspect(reference, LabUser.dev)
      const ask = (target: string) => run(["digest", target, "--config", config], { environment })
      assert.deepStrictEqual(yield* ask(`@token-dev/${repository}:v1`), { code: 0, stdout: `${digest}\n`, stderr: "" })
      const absent = yield* ask(`${registries.token.host}/${repository}:v2`)
      assert.deepStrictEqual([absent.code, absent.stdout], [1, ""])
      assert.include(absent.stderr, `${repository}:v2`)
    })
  )
})

describeLive("gantry push with a configuration file", (it) => {
  it.scoped("pushes to @NAME/repository with the secret of the registry", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const config = yield* stackFile
      const repository = uniqueRepository("named")
      const source = `${uniqueRepository("source")}:v1`
      yield* loadedImage(engine, { tags: [source], layers: [{ seed: "named", size: 20_000 }] })
      const pushTo = (name: string) =>
        run(["push", source, "--to", `@${name}/${repository}`, "--config", config], { engine, environment })
      const { code, stdout } = yield* pushTo("token-dev")
      const { digest } = yield* skopeoInspect(`${registries.token.host}/${repository}:v1`, LabUser.dev)
      assert.deepStrictEqual([code, stdout], [0, `${registries.token.host}/${repository}@${digest}\n`])
    })
  )
})

describeLive("gantry config check", (it) => {
  it.scoped("says where a broken file is wrong", () =>
    Effect.gen(function* () {
      const path = yield* written({ "gantry.yaml": "version: 1\nregistries:\n  here: { url: reg.test }\n" })
      const { code, stderr, stdout } = yield* run(["config", "check", path("gantry.yaml")])
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.match(stderr, /^\/.*\/gantry\.yaml:3:11: .*uri/m)
    })
  )
})
