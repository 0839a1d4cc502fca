import { execFileSync, spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import * as FakeGitHub from "../connector/support/fakeGitHub.ts"
import * as Canary from "./support/canary.ts"
import { bin, run, start, temporaryFolder } from "./support/command.ts"
import { admit } from "./support/htpasswd.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"
import * as Tmux from "./support/tmux.ts"

const layers = [{ seed: "exec", size: 20_000 }]

const writeIn = (folder: string, name: string, text: string) =>
  Effect.promise(async () => {
    const file = join(folder, name)
    await mkdir(join(file, ".."), { recursive: true })
    await writeFile(file, text, { mode: 0o700 })
    return file
  })

const read = (folder: string, name: string) => Effect.promise(() => readFile(join(folder, name), "utf8"))

/** Every file below a folder, links followed. */
const everythingIn = (folder: string) =>
  Effect.promise(async () => {
    const files = await readdir(folder, { recursive: true, withFileTypes: true })
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), "utf8"))
    return (await Promise.all(texts)).join("\n")
  })

/** A file that is read to its end when somebody has written to it and closed it. */
const pipe = (folder: string, name: string) =>
  Effect.sync(() => {
    const path = join(folder, name)
    execFileSync("mkfifo", [path])
    return path
  })

/** What a command under gantry exec can see, copied for later: the folder, its variables, and everybody's arguments. */
const look = `
mkdir "$OUT/seen"; cp -rL "$GANTRY_EXEC/docker" "$GANTRY_EXEC/token" "$OUT/seen"; env >"$OUT/seen/variables"
ps -eo args >"$OUT/seen/arguments"; echo "$GANTRY_EXEC" >"$OUT/where"`

const copy = (reference: string, to: string) =>
  `skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false docker://${reference} docker://${to}`

describeLive("real programs under gantry exec", (it) => {
  it.scoped("push and copy with secrets of gantry.yaml, which are in no file, no argument and no variable", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const folder = yield* temporaryFolder
      const guarded = yield* Stack.registry("htpasswd")
      const password = Canary.make("exec")
      yield* admit(guarded, "dev", password)
      yield* writeIn(folder, "password", `${password}\n`)
      const config = yield* writeIn(
        folder,
        "gantry.yaml",
        `version: 1
registries:
  guarded: { uri: "${guarded.host}", secret: canary }
  lab: { uri: "${registries.token.host}/live", secret: lab }
secrets:
  canary: { username: dev, password: { file: password } }
  lab: { username: ${LabUser.dev.username}, password: { env: LAB } }
`
      )
      const repository = uniqueRepository("exec")
      const [image, elsewhere] = [`${guarded.host}/${repository}:v1`, `${registries.token.host}/${repository}:v1`]
      yield* loadedImage(engine, { tags: [image], layers })
      const script = yield* writeIn(
        folder,
        "script",
        `#!/bin/sh\nset -e${look}\ndocker push -q ${image}\n${copy(image, elsewhere)}\ndocker logout ${guarded.host} 2>&1 || true\n${look.replaceAll("seen", "afterwards")}\n`
      )
      const ended = yield* run(["exec", "--config", config, "--", script], {
        engine,
        environment: { OUT: folder, LAB: LabUser.dev.password }
      })
      assert.deepStrictEqual([ended.code, ended.stderr], [0, ""], ended.stderr)
      assert.include(ended.stdout, image)
      const pushed = yield* skopeoInspect(image, { username: "dev", password })
      assert.strictEqual((yield* skopeoInspect(elsewhere, LabUser.dev)).digest, pushed.digest)
      for (const seen of ["seen", "afterwards"]) {
        const text = yield* everythingIn(join(folder, seen))
        assert.include(text, `"${guarded.host}": "gantry"`, "what was seen is looked at")
        assert.deepStrictEqual(Canary.leaksIn(text, { password, pair: `dev:${password}` }), [])
      }
      assert.isFalse(existsSync((yield* read(folder, "where")).trim()))
    })
  )

  it.scoped("get a connector's next token when the one before has ended between two commands", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const folder = yield* temporaryFolder
      const guarded = yield* Stack.registry("htpasswd")
      const tokens: Array<string> = []
      const github = yield* FakeGitHub.make({
        token: () => "unused",
        now: () => Date.now(),
        instead: ({ path }) => {
          if (!path.endsWith("/access_tokens")) return undefined
          const token = tokens.at(-1)
          const expires_at = new Date(Date.now() + 3000).toISOString().replace(/\.\d+/, "")
          return { status: 201, body: { token, expires_at, permissions: {}, repository_selection: "all" } }
        }
      })
      const rotate = Effect.suspend(() => {
        tokens.push(`ghs_${"x".repeat(16)}${tokens.length}`)
        return admit(guarded, "x-access-token", tokens.at(-1) ?? "")
      })
      yield* rotate
      const config = yield* writeIn(
        folder,
        "gantry.yaml",
        `version: 1
registries: { app: { uri: "${guarded.host}/acme", connector: pusher } }
connectors:
  pusher: { type: github, method: app-installation, appId: "7", privateKey: { env: APP_KEY }, host: "${guarded.host}", apiUrl: "${github.apiUrl}" }
`
      )
      const repository = `acme/${uniqueRepository("exec")}`
      const [first, second] = [`${guarded.host}/${repository}:v1`, `${guarded.host}/${repository}:v2`]
      yield* loadedImage(engine, { tags: [first], layers })
      const [pushed, go] = yield* Effect.all([pipe(folder, "pushed"), pipe(folder, "go")])
      const script = `docker push -q ${first} && echo >${pushed} && cat ${go} && ${copy(first, second)} && echo done`
      const { ended } = yield* start(["exec", "app", "--config", config, "--", "sh", "-c", script], {
        engine,
        environment: { APP_KEY: FakeGitHub.privateKeys["PKCS#1"] }
      })
      yield* Effect.promise(() => readFile(pushed))
      // More than the token's life.
      yield* Effect.sleep("4 seconds")
      yield* rotate
      yield* Effect.promise(() => writeFile(go, "go"))
      const { code, stderr, stdout } = yield* ended
      assert.strictEqual(code, 0, stderr)
      assert.include(stdout, "done")
      assert.strictEqual(github.requests.filter(({ path }) => path.endsWith("/access_tokens")).length, 2)
      const credentials = { username: "x-access-token", password: tokens.at(-1) ?? "" }
      const inspected = yield* Effect.forEach([first, second], (image) => skopeoInspect(image, credentials))
      assert.strictEqual(inspected[0]?.digest, inspected[1]?.digest)
    })
  )
})

const configOf = (host: string) => `version: 1
registries: { lab: { uri: "${host}", secret: lab } }
secrets: { lab: { username: dev, password: { env: LAB } } }
`

describeLive("signals to gantry exec", (it) => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129]
  ] as const) {
    it.scoped(`hand ${signal} on, and leave no folder`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const ready = yield* pipe(folder, "ready")
        const config = yield* writeIn(folder, "gantry.yaml", configOf("127.0.0.1:5300"))
        // In a session of its own, without a terminal, as in CI.
        const child = spawn(
          process.execPath,
          [bin, "exec", "--config", config, "--", "sh", "-c", `echo "$GANTRY_EXEC" >${ready}; exec sleep 60`],
          {
            detached: true,
            stdio: "ignore",
            env: { PATH: process.env["PATH"], HOME: folder, LAB: "unused" }
          }
        )
        const ended = new Promise((resolve) => child.on("exit", (code) => resolve(code)))
        const where = (yield* Effect.promise(() => readFile(ready, "utf8"))).trim()
        assert.isTrue(existsSync(where))
        child.kill(signal)
        assert.strictEqual(yield* Effect.promise(() => ended), code)
        assert.isFalse(existsSync(where))
      })
    )
  }

  it.scoped("come once from a terminal's Ctrl-C, and the second one ends what ignores them, within 5 seconds", () =>
    Effect.gen(function* () {
      const { engine } = yield* LiveStack
      const folder = yield* temporaryFolder
      const config = yield* writeIn(folder, "gantry.yaml", configOf("127.0.0.1:5300"))
      const script = yield* writeIn(
        folder,
        "script",
        `#!/usr/bin/env node
process.on("SIGINT", () => console.log("interrupted"))
require("node:fs").writeFileSync("${folder}/where", process.env.GANTRY_EXEC)
console.log("started")
setInterval(() => {}, 1000)
`
      )
      const terminal = yield* Tmux.open({ columns: 100, rows: 30 }, engine)
      yield* terminal.write("gantry", [])
      yield* terminal.enter(`export LAB=unused; gantry exec --config ${config} -- ${script}; echo "code $?"`)
      yield* terminal.until("the start", (lines) => lines.includes("started"))
      const count = (lines: ReadonlyArray<string>) => lines.filter((line) => line.endsWith("interrupted")).length
      yield* terminal.press("C-c")
      yield* terminal.until("an interruption", (lines) => count(lines) > 0)
      yield* terminal.press("C-c")
      const [patience, last] = yield* Effect.timed(
        terminal.until("the end", (lines) => lines.some((line) => line.startsWith("code ")))
      )
      assert.strictEqual(count(last), 2)
      assert.include(last, "code 137")
      assert.isBelow(Duration.toMillis(patience), 6000)
      assert.isFalse(existsSync((yield* read(folder, "where")).trim()))
    })
  )
})
