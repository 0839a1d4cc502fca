import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const mark = Effect.map(Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER), (drawn) => `gantry-${drawn.toString(36)}`)

/** An output of a step as the runner reads it: all lines up to a mark, which is drawn until the value does not have it. */
export const stepOutput = (name: string, value: string): Effect.Effect<string> =>
  Effect.map(
    Effect.repeat(mark, { until: (drawn) => !value.includes(drawn) }),
    (end) => `${name}<<${end}\n${value}\n${end}\n`
  )
