import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import type { CredentialKind } from "../../src/credential/Credential.ts"
import * as Keychain from "../../src/credential/Keychain.ts"
import { fakeEcr } from "./support/fakeEcr.ts"
import { describeLive, LiveStack } from "./support/stack.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "gantry-keychain-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Sets variables of this process, which helpers inherit, for as long as the scope is open. */
const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

/** Runs a program with the password on its input. */
const login = (command: string, parameters: ReadonlyArray<string>, password: string) =>
  Effect.async<void>((resume) => {
    const child = spawn(command, parameters, { stdio: ["pipe", "pipe", "pipe"] })
    let said = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk))
    child.on("close", (code) => resume(code === 0 ? Effect.void : Effect.dieMessage(`${command}: ${said}`)))
    child.stdin.end(password)
  })

const dockerLogin = (folder: string, socket: string, host: string) =>
  login(
    "docker",
    ["-H", `unix://${socket}`, "--config", folder, "login", "-u", LabUser.dev.username, "--password-stdin", host],
    LabUser.dev.password
  )

const find = (files: Partial<Keychain.Files>, host: string, repository?: string) =>
  Effect.flatMap(Keychain.Keychain, (keychain) => keychain.find(host, { repository })).pipe(
    Effect.map(Option.map(({ credential }) => credential.kind)),
    Effect.provide(
      Layer.provide(
        Keychain.layerFiles({ dockerConfigFile: "/nonexistent", containersAuthFiles: [], ...files }),
        NodeContext.layer
      )
    )
  )

const show = (kind: Option.Option<CredentialKind>) =>
  Option.match(kind, {
    onNone: () => "none",
    onSome: (some) =>
      some._tag === "UsernamePassword" ? `${some.username}:${Redacted.value(some.password)}` : some._tag
  })

const dev = `${LabUser.dev.username}:${LabUser.dev.password}`

/** A helper that keeps each secret in a file, as `docker login` wants one. */
const keepingHelper = (folder: string) => `#!/bin/sh
cd '${folder}'
case "$1" in
store) cat > kept; sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' kept > kept.url;;
get) if [ "$(cat)" = "$(cat kept.url)" ]; then cat kept; else echo credentials not found in native keychain; exit 1; fi;;
esac
`

/** Debian's package amazon-ecr-credential-helper. */
const lacksEcrHelper = spawnSync("docker-credential-ecr-login", ["version"]).error !== undefined

describeLive("the keychain", (it) => {
  it.scoped("reads the password that docker login wrote", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const file = join(folder, "config.json")
      writeFileSync(file, '{"auths":{"placeholder.invalid":{}}}')
      yield* dockerLogin(folder, engine.socket, registries.htpasswd.host)
      const written = readFileSync(file, "utf8")
      assert.strictEqual(show(yield* find({ dockerConfigFile: file }, registries.htpasswd.host)), dev)
      assert.strictEqual(show(yield* find({ dockerConfigFile: file }, registries.token.host)), "none")
      assert.strictEqual(readFileSync(file, "utf8"), written)
    })
  )

  it.scoped("reads the identity token that docker login got", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const file = join(folder, "config.json")
      // An empty file is fine for Docker.
      writeFileSync(file, "")
      yield* dockerLogin(folder, engine.socket, registries.token.host)
      const kind = Option.getOrThrow(yield* find({ dockerConfigFile: file }, registries.token.host))
      assert.deepStrictEqual(
        kind._tag === "IdentityToken" ? kind.username : kind._tag,
        Option.some(LabUser.dev.username)
      )
    })
  )

  it.scoped("asks the helper that docker login gave the password to", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const file = join(folder, "config.json")
      const helper = join(folder, "docker-credential-keeping")
      writeFileSync(helper, keepingHelper(folder))
      chmodSync(helper, 0o755)
      writeFileSync(file, '{"auths":{},"credsStore":"keeping"}')
      yield* environment({ PATH: `${folder}${delimiter}${process.env["PATH"]}` })
      yield* dockerLogin(folder, engine.socket, registries.htpasswd.host)
      assert.notInclude(readFileSync(file, "utf8"), Buffer.from(dev).toString("base64"))
      assert.strictEqual(show(yield* find({ dockerConfigFile: file }, registries.htpasswd.host)), dev)
      assert.strictEqual(show(yield* find({ dockerConfigFile: file }, registries.token.host)), "none")
    })
  )

  it.scoped("reads the part of a host that skopeo login wrote for podman", () =>
    Effect.gen(function* () {
      const { registries } = yield* LiveStack
      const { host } = registries.htpasswd
      const file = join(yield* temporaryFolder, "auth.json")
      yield* login(
        "skopeo",
        ["login", "--authfile", file, "--tls-verify=false", "-u", "dev", "--password-stdin", `${host}/team`],
        LabUser.dev.password
      )
      assert.strictEqual(show(yield* find({ containersAuthFiles: [file] }, host, "team/app")), dev)
      assert.strictEqual(show(yield* find({ containersAuthFiles: [file] }, host, "other/app")), "none")
    })
  )

  it.scoped.skipIf(lacksEcrHelper && process.env["CI"] !== "true")("asks docker-credential-ecr-login", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, "config.json")
      const host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
      writeFileSync(file, JSON.stringify({ credHelpers: { [host]: "ecr-login" } }))
      const ecr = yield* fakeEcr({ folder, username: "AWS", password: "from-the-fake", host })
      yield* environment({
        AWS_ACCESS_KEY_ID: "AKIALAB",
        AWS_SECRET_ACCESS_KEY: "lab",
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ECR_DISABLE_CACHE: "1",
        AWS_CA_BUNDLE: ecr.certificate,
        HTTPS_PROXY: ecr.proxy,
        HOME: folder
      })
      assert.strictEqual(show(yield* find({ dockerConfigFile: file }, host)), "AWS:from-the-fake")
    })
  )
})
