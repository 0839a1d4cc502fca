import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { at, gantry } from "./support/registries.ts"

const usages = {
  push: "gantry push SOURCE... [OPTION]...",
  verify: "gantry verify [REGISTRY]... [OPTION]...",
  digest: "gantry digest TARGET [OPTION]...",
  doctor: "gantry doctor [OPTION]...",
  exec: "gantry exec [REGISTRY]... [OPTION]... -- COMMAND [ARGUMENT]...",
  "config check": "gantry config check [FILE] [OPTION]...",
  schema: "gantry schema config|report|event",
  flavors: "gantry flavors [OPTION]..."
}

describe("the help of gantry", () => {
  for (const [command, usage] of Object.entries(usages)) {
    it.scoped(`says how ${command} is used, in lines of at most 100 characters`, () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* gantry([...command.split(" "), "--help"])
        assert.deepStrictEqual([code, stderr], [0, ""])
        assert.include(stdout.split("\n"), `Usage: ${usage}`)
        assert.isTrue(stdout.split("\n").every((line) => line.length <= 100))
        assert.notInclude(stdout, "undefined")
      }).pipe(at())
    )
  }

  it.scoped("names the options that a command shares with others", () =>
    Effect.gen(function* () {
      for (const command of ["push", "verify", "digest"]) {
        const { stdout } = yield* gantry([command, "--help"]).pipe(at())
        for (const option of ["--config FILE", "--set NAME=VALUE ...", "--username NAME", "--password-stdin"]) {
          assert.include(stdout, `\n  ${option} `)
        }
      }
    }).pipe(at())
  )
})
