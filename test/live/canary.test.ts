import { spawn } from "node:child_process"
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Credential from "../../src/credential/Credential.ts"
import * as SecretStore from "../../src/credential/SecretStore.ts"
import * as DockerEngine from "../../src/engine/DockerEngine.ts"
import * as Authentication from "../../src/registry/Authentication.ts"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as PushTransport from "../../src/transport/PushTransport.ts"
import * as RecordingTracer from "../support/recordingTracer.ts"
import * as Canary from "./support/canary.ts"
import { temporaryFolder } from "./support/command.ts"
import * as Guard from "./support/guard.ts"
import { describeLive, LiveStack, loadedImage, uniqueRepository } from "./support/stack.ts"

const bin = fileURLToPath(new URL("../../dist/bin/gantry.js", import.meta.url))
const layers = [{ seed: "canary", size: 20_000 }]

/** Everything the command wrote: both streams, and every file below the folder that was not there before. */
const everythingWritten = async (folder: string, input: ReadonlySet<string>): Promise<string> => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const written = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((file) => !input.has(file))
  return (await Promise.all(written.map((file) => readFile(file, "utf8")))).join("\n")
}

const gantry = (
  parameters: ReadonlyArray<string>,
  options: { readonly environment: Readonly<Record<string, string>>; readonly folder: string; readonly stdin: string }
) =>
  Effect.promise(
    () =>
      new Promise<{ readonly code: number | null; readonly output: string }>((resolve) => {
        const child = spawn(process.execPath, [bin, ...parameters], {
          cwd: options.folder,
          // docker-modem prints its requests when asked to.
          env: { HOME: options.folder, DEBUG: "*", ...options.environment }
        })
        let output = ""
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (chunk) => {
            output += chunk
          })
        }
        child.on("close", (code) => resolve({ code, output }))
        child.stdin.end(options.stdin)
      })
  )

/** How the command is given a secret: options, standard input, environment and files of its home. */
interface Way {
  readonly challenge: "basic" | "bearer"
  readonly parameters?: ReadonlyArray<string>
  readonly stdin?: (canary: string) => string
  readonly environment?: (canary: string, host: string) => Readonly<Record<string, string>>
  readonly files?: (canary: string, host: string) => Readonly<Record<string, string>>
}

const basic = (canary: string) => Buffer.from(`dev:${canary}`).toString("base64")

const connectorFile = (host: string, password: string) => `version: 1
registries: { guarded: { uri: "${host}", connector: lab } }
connectors: { lab: { type: docker, method: password, username: dev, password: ${password}, registry: "${host}" } }
`

const ways: Readonly<Record<string, Way>> = {
  "--password-stdin": {
    challenge: "basic",
    parameters: ["--username", "dev", "--password-stdin"],
    stdin: (canary) => canary
  },
  "auth of config.json": {
    challenge: "basic",
    files: (canary, host) => ({ ".docker/config.json": JSON.stringify({ auths: { [host]: { auth: basic(canary) } } }) })
  },
  "auth of config.json at a token server": {
    challenge: "bearer",
    files: (canary, host) => ({ ".docker/config.json": JSON.stringify({ auths: { [host]: { auth: basic(canary) } } }) })
  },
  "identitytoken of config.json": {
    challenge: "bearer",
    files: (canary, host) => ({
      ".docker/config.json": JSON.stringify({ auths: { [host]: { identitytoken: canary } } })
    })
  },
  DOCKER_AUTH_CONFIG: {
    challenge: "basic",
    environment: (canary, host) => ({
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { auth: basic(canary) } } })
    })
  },
  "a connector's variable": {
    challenge: "basic",
    environment: (canary) => ({ CONNECTOR_PASSWORD: canary }),
    files: (_, host) => ({ "gantry.yaml": connectorFile(host, "{ env: CONNECTOR_PASSWORD }") })
  },
  "a connector's file at a token server": {
    challenge: "bearer",
    files: (canary, host) => ({ "gantry.yaml": connectorFile(host, "{ file: password }"), password: `${canary}\n` })
  },
  "a credential helper": {
    challenge: "basic",
    environment: () => ({}),
    files: (canary, host) => ({
      ".docker/config.json": JSON.stringify({ credHelpers: { [host]: "canary" } }),
      "bin/docker-credential-canary": `#!/bin/sh\ncat <<'ANSWER'\n${JSON.stringify({ ServerURL: host, Username: "dev", Secret: canary })}\nANSWER\n`
    })
  }
}

/** Writes the files that a way needs, and gives their paths. */
const placed = (folder: string, files: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    const paths = Object.entries(files).map(([file, content]) => [join(folder, file), content] as const)
    for (const [path, content] of paths) {
      await mkdir(join(path, ".."), { recursive: true })
      await writeFile(path, content)
      await chmod(path, 0o700)
    }
    return new Set(paths.map(([path]) => path))
  })

describeLive("a secret given to the command", (it) => {
  for (const [name, way] of Object.entries(ways)) {
    for (const outcome of ["let in", "refused by a registry that repeats it"] as const) {
      it.scoped(`(${name}) reaches its registry and nothing that gantry writes, when it is ${outcome}`, () =>
        Effect.gen(function* () {
          const { engine, registries } = yield* LiveStack
          const folder = yield* temporaryFolder
          const canary = Canary.make(name)
          // What token servers give out is a JWT, and gantry knows one that it was never told by its looks.
          const token = `eyJhbGciOiJub25lIn0.${Buffer.from(Canary.make("token")).toString("base64url")}.c2lnbmF0dXJl`
          const guard = yield* Guard.make({
            target: registries.open.host,
            challenge: way.challenge,
            token,
            ...(outcome === "let in" ? {} : { repeatsSecrets: (said) => said })
          })
          const reference = `${guard.host}/${uniqueRepository("canary")}:v1`
          yield* loadedImage(engine, { tags: [reference], layers })

          const input = yield* placed(folder, way.files?.(canary, guard.host) ?? {})
          const push = ["push", reference, "--retries", "0", "--progress", "json"]
          const transcript = join(folder, "run.ndjson")
          const files = [
            "--events",
            join(folder, "events"),
            "--report",
            join(folder, "report.json"),
            "--record",
            transcript
          ]
          const { code, output } = yield* gantry([...push, ...files, ...(way.parameters ?? [])], {
            folder,
            stdin: way.stdin?.(canary) ?? "",
            environment: {
              PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
              DOCKER_HOST: engine.host,
              GITHUB_ACTIONS: "true",
              GITHUB_STEP_SUMMARY: join(folder, "step_summary"),
              GITHUB_OUTPUT: join(folder, "set_output"),
              ...way.environment?.(canary, guard.host)
            }
          })

          const told = (yield* guard.told).join("\n")
          const canaries = { secret: canary, ...(way.challenge === "bearer" ? { token } : {}) }
          assert.deepStrictEqual(Canary.leaksIn(told, canaries), Object.keys(canaries), "the registry was told")
          const written = output + (yield* Effect.promise(() => everythingWritten(folder, input)))
          for (const text of [reference, "### gantry: ", "report<<"]) {
            assert.include(written, text, "what was written is looked at")
          }
          const recorded = yield* Effect.promise(() => readFile(transcript, "utf8"))
          assert.include(recorded, `"pushImage ${reference}`, "the engine's answers are among it")
          assert.match(recorded, /"party":"registry","request":"[^"]* with (?:Basic|Bearer)"/, "and the registry's")
          assert.deepStrictEqual(Canary.leaksIn(written, canaries), [])
          assert.strictEqual(code, outcome === "let in" ? 0 : 3)
        })
      )
    }
  }
})

/** What another program under gantry exec finds in its folder and its variables, and what it says. */
const lookAndPush = (reference: string): ReadonlyArray<string> => [
  "sh",
  "-c",
  `mkdir seen && cp -rL "$GANTRY_EXEC"/docker "$GANTRY_EXEC"/token seen && ps -eo args >seen/arguments && docker push ${reference}`
]

describeLive("a secret that gantry exec hands on", (it) => {
  const { "--password-stdin": _, ...handedOn } = ways
  for (const [name, way] of Object.entries(handedOn)) {
    it.scoped(`(${name}) reaches its registry, no file of the run, no argument and no line`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const folder = yield* temporaryFolder
        const canary = Canary.make(name)
        const guard = yield* Guard.make({ target: registries.open.host, challenge: way.challenge, token: "unused" })
        const reference = `${guard.host}/${uniqueRepository("canary")}:v1`
        yield* loadedImage(engine, { tags: [reference], layers })
        const input = yield* placed(folder, way.files?.(canary, guard.host) ?? {})
        const { code, output } = yield* gantry(["exec", guard.host, "--", ...lookAndPush(reference)], {
          folder,
          stdin: "",
          environment: {
            PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
            DOCKER_HOST: engine.host,
            ...way.environment?.(canary, guard.host)
          }
        })
        assert.deepStrictEqual(Canary.leaksIn((yield* guard.told).join("\n"), { canary }), ["canary"])
        const written = output + (yield* Effect.promise(() => everythingWritten(folder, input)))
        assert.include(written, `"${guard.host}": "gantry"`, "what was written is looked at")
        assert.deepStrictEqual(Canary.leaksIn(written, { canary }), [])
        assert.strictEqual(code, 0, output)
      })
    )
  }
})

/** All that an application could see of a failure. */
const shown = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.match(exit, {
    onSuccess: (value) => inspect(value, { depth: null, showHidden: true }) + JSON.stringify(value),
    onFailure: (cause) =>
      [
        Cause.pretty(cause, { renderErrorCause: true }),
        inspect(cause, { depth: null, showHidden: true }),
        ...Array.from(Cause.failures(cause), (error) =>
          [String(error), JSON.stringify(error), inspect(error, { depth: null, showHidden: true })].join("\n")
        )
      ].join("\n")
  })

describeLive("a secret given to the library", (it) => {
  const authentications = {
    "a given password": (host: string, canary: string) =>
      Authentication.credential(
        Credential.usernamePassword({ host, username: "dev", password: Redacted.make(canary) })
      ),
    "a stored secret": () => Authentication.secret("canary"),
    "a registry token": (host: string, canary: string) =>
      Authentication.credential(Credential.registryToken({ host, token: Redacted.make(canary) }))
  }
  for (const [name, authenticate] of Object.entries(authentications)) {
    it.scoped(`(${name}) is in no log, span, event, result or error`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        // A registry token stands in a header as it is, so it has no blanks.
        const isToken = name === "a registry token"
        const canary = isToken ? Canary.make("token").replace(/[^\w-]/g, "") : Canary.make(name)
        const guard = yield* Guard.make({
          target: registries.open.host,
          challenge: isToken ? "bearer" : "basic",
          token: "unused"
        })
        const refusing = yield* Guard.make({
          target: registries.open.host,
          challenge: isToken ? "bearer" : "basic",
          token: "unused",
          repeatsSecrets: (said) => said
        })
        const spans: Array<RecordingTracer.RecordedSpan> = []
        const logs: Array<string> = []
        const logger = Logger.make(({ annotations, cause, message, spans }) => {
          logs.push(inspect([message, annotations, spans, Cause.pretty(cause)], { depth: null }))
        })
        const events: Array<unknown> = []
        const results: Array<string> = []
        for (const { host } of [guard, refusing]) {
          const reference = `${host}/${uniqueRepository("canary")}:v1`
          yield* loadedImage(engine, { tags: [reference], layers })
          const registry = ContainerRegistry.layer({ uri: host, authentication: authenticate(host, canary) }).pipe(
            Layer.provide(PushTransport.layerEngine),
            Layer.provide(DockerEngine.layer({ host: engine.host })),
            Layer.provide(
              SecretStore.layerMemory({ canary: { username: Redacted.make("dev"), password: Redacted.make(canary) } })
            )
          )
          const use = Effect.gen(function* () {
            const registry = yield* ContainerRegistry.ContainerRegistry
            yield* Effect.logTrace("resolved", yield* registry.credentials)
            yield* registry.verify
            return yield* registry.pushImage(reference, { emit: (event) => events.push(event) })
          })
          const exit = yield* use.pipe(
            Effect.provide(registry),
            Effect.withTracer(RecordingTracer.make(spans)),
            Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
            Logger.withMinimumLogLevel(LogLevel.All),
            Effect.exit
          )
          assert.strictEqual(Exit.isSuccess(exit), host === guard.host)
          results.push(shown(exit))
        }
        const told = [...(yield* guard.told), ...(yield* refusing.told)].join("\n")
        assert.deepStrictEqual(Canary.leaksIn(told, { secret: canary }), ["secret"])
        const spanned = spans.map(({ attributes, events, exit, name }) => [
          inspect([name, attributes, events], { depth: null }),
          shown(exit ?? Exit.void)
        ])
        const seen = [...spanned.flat(), ...logs, JSON.stringify(events), ...results].join("\n")
        assert.include(seen, "ContainerRegistry.pushImage", "spans are looked at")
        assert.include(seen, "resolved", "logs are looked at")
        assert.deepStrictEqual(Canary.leaksIn(seen, { secret: canary }), [])
      })
    )
  }
})
