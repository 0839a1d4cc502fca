// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, gantry, written } from "./support/registries.ts"

const good = `
version: 1
registries:
  main: { uri: reg.test, secret: bot }
secrets:
  bot: { username: bot, password: { env: NOT_SET } }
pushes:
  - { source: "app:1", to: "@main/app", tags: ["\${VERSION:?set VERSION}", latest] }
`

const broken = `version: 1
registries:
  main: { uri: reg.test, tsl: "off", secret: bto }
secrets:
  bot: { username: bot, password: hunter2 }
`

describe("gantry config check", () => {
  it.scoped("confirms a good file on stdout, with the variables of --set and without its secrets", () =>
    Effect.gen(function* () {
      const path = yield* written("ci.yaml", good)
      const { code, stderr, stdout } = yield* gantry(["config", "check", path, "--set", "VERSION=1.4.2"])
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.strictEqual(stdout, `${path}: ok, 1 registry, 0 connectors, 1 secret, 2 pushes\n`)
    }).pipe(at())
  )

  it.scoped("prints every problem as FILE:LINE:COLUMN: message on stderr only, without the secret, and exits 2", () =>
    Effect.gen(function* () {
      const path = yield* written("gantry.yaml", broken)
      const { code, stderr, stdout } = yield* gantry(["config", "check"]).pipe(
        at({ variables: { GANTRY_CONFIG: path } })
      )
      assert.deepStrictEqual([code, stdout], [2, ""])
      const places = stderr.trimEnd().split("\n")
      assert.deepStrictEqual(
        places.map((line) => line.slice(0, line.indexOf(": "))),
        [`${path}:3:26`, `${path}:3:46`, `${path}:5:35`]
      )
      assert.include(places[0], "tls")
      assert.include(places[1], "bot")
      assert.notInclude(stderr, "hunter2")
    }).pipe(at())
  )

  it.scoped("tells a variable that is not set, with where it is wanted", () =>
    Effect.gen(function* () {
      const path = yield* written("gantry.yaml", good)
      const { code, stderr } = yield* gantry(["config", "check", path])
      assert.strictEqual(code, 2)
      assert.match(stderr, /gantry\.yaml:8:\d+: .*set VERSION/)
    }).pipe(at())
  )

  it.scoped("exits 2 for a file that is not there", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* gantry(["config", "check", "/nonexistent/gantry.yaml"])
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.include(stderr, "/nonexistent/gantry.yaml")
    }).pipe(at())
  )
})
