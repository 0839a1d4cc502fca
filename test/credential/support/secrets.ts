import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Encoding from "effect/Encoding"

/** A secret that nothing but its reader may see. */
export const canary = `canary-"ç"-9f86d081884c7d65`

/** The canary's spellings; base64 has no fixed one inside a longer text, so the middle of each of the three shifts. */
const spellings = [
  canary,
  JSON.stringify(canary).slice(1, -1),
  encodeURIComponent(canary),
  ...["", "a", "aa"].map((shift) => Encoding.encodeBase64(shift + canary).slice(4, -4)),
  "9f86d081884c7d65"
]

/** Fails when an error, however it is printed, shows the canary. */
export const assertHidesCanary = (error: unknown): void => {
  const printings = [
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 10 }),
    Cause.pretty(Cause.fail(error)),
    error instanceof Error ? `${error.message}\n${error.stack}` : ""
  ]
  for (const printing of printings) {
    for (const spelling of spellings) {
      assert.notInclude(printing, spelling)
    }
  }
}
