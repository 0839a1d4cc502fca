import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { RegistryDenied } from "../../src/distribution/RegistryError.ts"
import * as TestRegistry from "../../src/testing/TestRegistry.ts"
import { at, gantry } from "./support/registries.ts"

const push = () =>
  Effect.fail(new RegistryDenied({ registry: "reg.test", repository: "app", status: 403, text: "no quota left" }))

const causes = "  error: RegistryDenied (trying again will not help)\n  registry: reg.test\n  repository: app\n"

const busy = Effect.flatMap(TestRegistry.TestRegistry, ({ fault }) =>
  fault({ effect: { type: "answer", status: 503, body: "busy" } })
)

describe("--verbose", () => {
  it.scoped("tells the cause of a failed push after everything else, and only when it is asked for", () =>
    Effect.gen(function* () {
      const line =
        'reg.test/app:1: failed: reg.test/app knows who asks and does not allow it. It said: "no quota left".'
      const calm = yield* gantry(["push", "reg.test/app:1"], { push }).pipe(at())
      assert.include(calm.stderr, line)
      assert.notInclude(calm.stderr, "status: 403")
      const verbose = yield* gantry(["push", "reg.test/app:1", "--verbose"], { push }).pipe(at())
      assert.include(verbose.stderr, line)
      assert.include(verbose.stderr, `\nreg.test/app:1: why it failed\n${causes}  status: 403\n  text: no quota left\n`)
      assert.notMatch(verbose.stderr, /\n +at /)
    }).pipe(at())
  )

  it.scoped("can be asked for by GANTRY_VERBOSE, and leaves a stream of JSON alone", () =>
    Effect.gen(function* () {
      const variables = { GANTRY_VERBOSE: "true" }
      const plain = yield* gantry(["push", "reg.test/app:1"], { push }).pipe(at({ variables }))
      assert.include(plain.stderr, causes)
      const json = yield* gantry(["push", "reg.test/app:1", "--progress", "json"], { push }).pipe(at({ variables }))
      for (const line of json.stderr.trim().split("\n")) assert.isObject(JSON.parse(line))
    }).pipe(at())
  )

  it.scoped("tells the cause of a failed verification and of a digest that is not to be had, on stderr", () =>
    Effect.gen(function* () {
      yield* busy
      const cause = "  error: RegistryUnavailable (the same command may succeed later)\n  registry: reg.test\n"
      const verified = yield* gantry(["verify", "reg.test", "--verbose"])
      assert.include(verified.stderr, `reg.test: why it failed\n${cause}`)
      assert.notInclude(verified.stdout, "why it failed")
    }).pipe(at())
  )

  it.scoped("tells the cause of a digest that is not to be had", () =>
    Effect.gen(function* () {
      yield* busy
      const asked = yield* gantry(["digest", "reg.test/app:1", "--verbose"])
      assert.match(
        asked.stderr,
        /^gantry digest: reg\.test answers with a fault of its own .*\n {2}error: RegistryUnavailable /
      )
    }).pipe(at())
  )
})
