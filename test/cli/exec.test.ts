import { execFileSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestConsole from "./support/console.ts"
import { at, gantry } from "./support/registries.ts"

const file = `version: 1
registries:
  prod: { uri: reg.test/team, secret: deploy }
  mirror: { uri: ghcr.io/acme, secret: piped }
  other: { uri: ghcr.io/other, secret: deploy }
  again: { uri: reg.test/again, secret: deploy }
secrets:
  deploy: { username: dev, password: { env: DEPLOY } }
  piped: { username: dev, password: { stdin: true } }
`

/** A folder with a gantry.yaml, and gantry exec with that and a shell's script. */
const world = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  const folder = yield* fileSystem.makeTempDirectoryScoped()
  const config = join(folder, "gantry.yaml")
  yield* fileSystem.writeFileString(config, file)
  const variables = { PATH: process.env["PATH"] ?? "", HOME: folder, XDG_RUNTIME_DIR: folder, DEPLOY: "canary" }
  const start = (words: ReadonlyArray<string>, ...program: ReadonlyArray<string>) =>
    gantry(["exec", ...words, "--config", config, "--", ...program]).pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables))))
    )
  // With a console of its own, so that each says what it alone wrote.
  const exec = (...parameters: Parameters<typeof start>) => Effect.provide(start(...parameters), TestConsole.layer())
  const read = (name: string) => Effect.promise(() => readFile(join(folder, name), "utf8"))
  return { config, exec, folder, read, start, sh: (script: string) => exec(["prod"], "sh", "-c", script, folder) }
})

describe("gantry exec", () => {
  it.scoped("runs the command with a folder that is gone afterwards, and ends with the command's own code", () =>
    Effect.gen(function* () {
      const { exec, folder, read } = yield* world
      const fileSystem = yield* FileSystem.FileSystem
      const script = `cd "$0"; echo "$DOCKER_CONFIG" >where; cat "$DOCKER_CONFIG/config.json" >config; printf '%s|' "$@" >words; exit 7`
      const words = ["--help", "--", "-x", "", "two words", "--config=y", "$HOME"]
      const { code, stderr, stdout } = yield* exec(["prod"], "sh", "-c", script, folder, ...words)
      assert.deepStrictEqual([code, stdout, stderr], [7, "", ""])
      assert.strictEqual(yield* read("words"), words.map((word) => `${word}|`).join(""))
      assert.deepStrictEqual(JSON.parse(yield* read("config")), {
        credsStore: "gantry",
        credHelpers: { "reg.test": "gantry" }
      })
      assert.isFalse(yield* fileSystem.exists(join((yield* read("where")).trim(), "..")))
    }).pipe(at())
  )

  it.scoped("gives every registry of the file when none is named, and one host once", () =>
    Effect.gen(function* () {
      const { config, exec, folder, read } = yield* world
      const fileSystem = yield* FileSystem.FileSystem
      yield* fileSystem.writeFileString(config, file.replace(/^ {2}(mirror|piped).*\n/gm, ""))
      yield* exec([], "sh", "-c", `cat "$DOCKER_CONFIG/config.json" >"$0/config"`, folder)
      assert.deepStrictEqual(JSON.parse(yield* read("config")).credHelpers, {
        "reg.test": "gantry",
        "ghcr.io": "gantry"
      })
    }).pipe(at())
  )

  it.scoped("ends as a shell does for a command that a signal ended, is not there, or can not be run", () =>
    Effect.gen(function* () {
      const { config, exec, sh } = yield* world
      assert.strictEqual((yield* sh("kill -9 $$")).code, 137)
      assert.strictEqual((yield* sh("kill -TERM $$")).code, 143)
      const absent = yield* exec(["prod"], "gantry-test-absent")
      assert.strictEqual(absent.code, 127)
      assert.match(absent.stderr, /^gantry exec: there is no program gantry-test-absent\. Install it/)
      const forbidden = yield* exec(["prod"], config)
      assert.strictEqual(forbidden.code, 126)
      assert.match(forbidden.stderr, /can not be run \(EACCES\)\. Check/)
    }).pipe(at())
  )

  it.scoped("says what is wrong before anything runs", () =>
    Effect.gen(function* () {
      const { exec } = yield* world
      const wrong = (words: ReadonlyArray<string>, problem: RegExp) =>
        Effect.map(exec(words, "false"), ({ code, stderr, stdout }) => {
          assert.deepStrictEqual([code, stdout], [2, ""], words.join(" "))
          assert.match(stderr, problem)
        })
      yield* wrong(["prd"], /gantry: REGISTRY There is no registry "prd": the names are/)
      yield* wrong(["ghcr.io/Acme"], /gantry: REGISTRY /)
      yield* wrong(["mirror"], /the secret piped of .*gantry\.yaml reads standard input, which is COMMAND's/)
      yield* wrong([], /@mirror and @other are all on ghcr\.io, which a program can have one credential for: name one/)
      yield* wrong(["prod", "--retries", "1"], /there is no option --retries/)
    }).pipe(at())
  )

  it.scoped("needs a command behind --, and a registry from somewhere", () =>
    Effect.gen(function* () {
      const { folder } = yield* world
      for (const words of [["prod"], ["prod", "--"], ["--", ""]]) {
        const { code, stderr } = yield* gantry(["exec", ...words])
        assert.strictEqual(code, 2)
        assert.include(
          stderr,
          "gantry: exec needs -- and a COMMAND behind it, as in `gantry exec -- docker push app:1`"
        )
      }
      const { code, stderr } = yield* gantry(["exec", "--", "true"]).pipe(at({ variables: { HOME: folder } }))
      assert.strictEqual(code, 2)
      assert.include(stderr, "exec needs a REGISTRY, or a gantry.yaml here or in a folder above")
    }).pipe(at())
  )
})

/** A file that is read to its end when the command has written to it and closed it. */
const pipe = (folder: string, name: string): string => {
  const path = join(folder, name)
  execFileSync("mkfifo", [path])
  return path
}

describe("signals to gantry exec", () => {
  const run = Effect.fnUntraced(function* (script: string) {
    const { folder, start } = yield* world
    const ready = pipe(folder, "ready")
    const fiber = yield* Effect.fork(start(["prod"], "sh", "-c", script, folder))
    yield* Effect.promise(() => readFile(ready))
    return fiber
  })

  it.scoped("are the command's to answer, in its own time", () =>
    Effect.gen(function* () {
      const fiber = yield* run(`trap 'exit 3' TERM; echo >"$0/ready"; while :; do sleep 0.05; done`)
      const { relay } = yield* TestConsole.TestConsole
      yield* relay("SIGTERM")
      assert.strictEqual((yield* Fiber.join(fiber)).code, 3)
    }).pipe(at())
  )

  it.scoped("end a command that ignores two of them, 4 seconds later", () =>
    Effect.gen(function* () {
      const fiber = yield* run(`trap '' TERM; echo >"$0/ready"; while :; do sleep 0.05; done`)
      const { relay } = yield* TestConsole.TestConsole
      yield* relay("SIGTERM")
      yield* TestClock.adjust("1 hour")
      yield* relay("SIGTERM")
      yield* TestClock.adjust("3999 millis")
      assert.isTrue((yield* Fiber.poll(fiber))._tag === "None")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).code, 137)
    }).pipe(at())
  )
})
