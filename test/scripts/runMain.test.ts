import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ended } from "./support/ended.ts"

const programOf = (effect: string) => `
  import * as Console from "effect/Console"
  import * as Data from "effect/Data"
  import * as Effect from "effect/Effect"
  import * as ProcessGroup from "./scripts/lib/ProcessGroup.ts"
  import { runMain } from "./scripts/lib/runMain.ts"
  class Wrong extends Data.TaggedError("Wrong") {}
  runMain(${effect})`

describe("runMain", () => {
  it.effect("ends with 0 when the program is through", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ended(programOf(`Console.log("done")`)), { code: 0, stdout: "done\n", stderr: "" })
    })
  )

  it.effect("runs finalizers and ends with 1 when it is ended before", () =>
    Effect.gen(function* () {
      const program = programOf(`
        Effect.yieldNow().pipe(
          Effect.zipRight(Console.log("ready")),
          Effect.zipRight(Effect.never),
          Effect.ensuring(Console.log("finalized"))
        )`)
      assert.deepStrictEqual(yield* ended(program), {
        code: 1,
        stdout: "ready\nfinalized\n",
        stderr: "interrupted\n"
      })
    })
  )

  it.effect("tells a failure by its message only, and a defect with where it happened", () =>
    Effect.gen(function* () {
      const failed = yield* ended(programOf(`new Wrong({ message: "there is no such page" })`))
      assert.deepStrictEqual(failed, { code: 1, stdout: "", stderr: "there is no such page\n" })
      const died = yield* ended(programOf(`Effect.die(new TypeError("a defect"))`))
      assert.strictEqual(died.code, 1)
      assert.match(died.stderr, /^TypeError: a defect\n {4}at /)
    })
  )
})
