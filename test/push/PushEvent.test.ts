import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { encode, isTerminal, PushEvent } from "../../src/push/PushEvent.ts"
import { pushEvent, pushEvents } from "../../src/testing/Arbitraries.ts"

const decode = Schema.decodeUnknownSync(PushEvent)
const encodeSync = (event: PushEvent) => Effect.runSync(encode(event))
const equal = Schema.equivalence(PushEvent)
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/

describe("PushEvent", () => {
  for (const [name, event] of Object.entries(pushEvents)) {
    it.prop(`${name} crosses a wire as JSON and comes back`, { event }, ({ event }) => {
      const json = JSON.stringify(encodeSync(event))
      const back = decode(JSON.parse(json))
      assert.isTrue(equal(back, event))
      assert.strictEqual(JSON.stringify(encodeSync(back)), json)
    })
  }

  it.prop("instants are RFC 3339 in UTC and absent values are absent keys", { event: pushEvent }, ({ event }) => {
    const json: { readonly at: string } = JSON.parse(JSON.stringify(encodeSync(event)))
    assert.match(json.at, rfc3339)
    assert.strictEqual(Date.parse(json.at), event.at.epochMillis)
    assert.notInclude(Object.values(json), null)
  })

  it.prop("the four ends of a push are its terminal events", { event: pushEvent }, ({ event }) => {
    const ends = ["PushCompleted", "PushFailed", "PushCrashed", "PushCancelled"]
    assert.strictEqual(isTerminal(event), ends.includes(event._tag))
  })
})
