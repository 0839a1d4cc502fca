/**
 * gantry with registries in memory: what a command wrote, and what the registries were asked.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { run } from "../../../src/cli/application.ts"
import type { Machine } from "../../../src/cli/Machine.ts"
// Commands load these when they run; here they are loaded before, so that no test waits for them.
import "../../../src/cli/BatchFile.ts"
import "../../../src/cli/ConfigCheck.ts"
import "../../../src/cli/DigestRun.ts"
import "../../../src/cli/DoctorRun.ts"
import "../../../src/cli/ExecRun.ts"
import "../../../src/cli/JsonSchemas.ts"
import "../../../src/cli/ListRun.ts"
import "../../../src/cli/PushRun.ts"
import "../../../src/cli/PushWords.ts"
import "../../../src/cli/VerifyRun.ts"
import * as Credential from "../../../src/credential/Credential.ts"
import * as Keychain from "../../../src/credential/Keychain.ts"
import * as TestRegistry from "../../../src/testing/TestRegistry.ts"
import * as TestTransport from "../../../src/testing/TestTransport.ts"
import * as TestConsole from "./console.ts"

export const user = (username: string, actions: TestRegistry.TestUser["actions"]): TestRegistry.TestUser => ({
  username,
  password: Redacted.make(`${username}-password`),
  actions
})

/** Who may do what in the registries of these tests; the password is the name and `-password`. */
export const users = [user("dev", ["pull", "push"]), user("ro", ["pull"])]

export const credential = (host: string, username: string, password = `${username}-password`) =>
  Credential.usernamePassword({ host, username, password: Redacted.make(password) })

/** Runs gantry on a machine without an engine, unless pushes are scripted. */
export const gantry = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  options: {
    readonly credentials?: ReadonlyArray<Credential.Credential>
    readonly keychain?: Machine["keychain"]
    readonly engine?: Machine["engine"]
    readonly credentialHelper?: string
    readonly push?: TestTransport.TestTransportScript["push"]
    readonly compare?: TestTransport.TestTransportScript["compare"]
  } = {}
) {
  const transport = yield* Layer.build(TestTransport.layer({ push: options.push, compare: options.compare }))
  const machine: Machine = {
    transport: () =>
      options.push === undefined ? Layer.die("there is no engine here") : Layer.succeedContext(transport),
    engine: options.engine ?? (() => Layer.die("there is no engine here")),
    keychain: options.keychain ?? Keychain.layerMemory(options.credentials ?? []),
    version: "1.2.3",
    credentialHelper: options.credentialHelper ?? "/nonexistent/docker-credential-gantry.js"
  }
  const code = yield* run(args, { version: "1.2.3", machine: Effect.succeed(machine) })
  const { stderr, stdout } = yield* TestConsole.TestConsole
  const { calls } = Context.get(transport, TestTransport.TestTransport)
  return { code, stdout: yield* stdout, stderr: yield* stderr, calls: yield* calls }
})

const node = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)

/** Where a command runs: what is piped in, which variables there are, how the registries authenticate. */
export const at =
  (
    options: {
      readonly stdin?: string
      readonly variables?: Readonly<Record<string, string>>
      readonly authentication?: TestRegistry.TestAuthentication
    } = {}
  ) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(options.variables ?? {})))),
      Effect.provide(TestConsole.layer(options.stdin)),
      Effect.provide(TestRegistry.layer({ authentication: options.authentication })),
      Effect.provide(node)
    )

/** Writes a file into a folder that goes with the scope, and gives its path. */
export const written = Effect.fnUntraced(function* (name: string, text: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fileSystem.makeTempDirectoryScoped(), name)
  yield* fileSystem.writeFileString(file, text)
  return file
})
