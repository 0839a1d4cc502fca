import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { engineChoice, engineOptions, engineProblems } from "../../src/cli/EngineOptions.ts"
import { decode } from "../../src/cli/OptionTable.ts"

const settings = (
  given: Readonly<Record<string, ReadonlyArray<string>>>,
  environment: ReadonlyArray<readonly [string, string]> = []
) => Effect.withConfigProvider(decode(engineOptions, given), ConfigProvider.fromMap(new Map(environment)))

describe("engine options", () => {
  it.effect("choose a context or an address, on the command line or by a variable, and say which did", () =>
    Effect.gen(function* () {
      const choice = (...parameters: Parameters<typeof settings>) => Effect.map(settings(...parameters), engineChoice)
      const prod = { context: "prod", host: undefined, origin: "--context" }
      assert.deepStrictEqual(yield* choice({ context: ["prod"] }), prod)
      assert.deepStrictEqual(yield* choice({}, [["GANTRY_CONTEXT", "prod"]]), prod)
      const host = { context: undefined, host: "ssh://h", origin: "--host" }
      assert.deepStrictEqual(yield* choice({ host: ["ssh://h"] }), host)
      assert.deepStrictEqual(yield* choice({}, [["GANTRY_HOST", "ssh://h"]]), host)
      const nothing = yield* choice({})
      assert.deepStrictEqual([nothing.context, nothing.host], [undefined, undefined])
    })
  )

  it.effect("are wrong together, wherever each was given", () =>
    Effect.gen(function* () {
      const problems = (...parameters: Parameters<typeof settings>) =>
        Effect.map(settings(...parameters), engineProblems)
      assert.lengthOf(yield* problems({ context: ["prod"], host: ["unix:///x"] }), 1)
      const [problem = ""] = yield* problems({ host: ["unix:///x"] }, [["GANTRY_CONTEXT", "prod"]])
      assert.include(problem, "GANTRY_CONTEXT")
      assert.deepStrictEqual(yield* problems({ host: ["unix:///x"] }), [])
      assert.deepStrictEqual(yield* problems({ context: ["prod"] }), [])
      assert.deepStrictEqual(yield* problems({}), [])
    })
  )
})
