import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { ImageNotFound, PushInterrupted, PushStalled, report } from "../../src/push/PushError.ts"
import { encode, isTerminal, PushEvent, PushId } from "../../src/push/PushEvent.ts"
import { PushedImage } from "../../src/push/PushedImage.ts"
import * as Digest from "../../src/reference/Digest.ts"
import * as ImageReference from "../../src/reference/ImageReference.ts"
import { digestText, host, repository, tag } from "../support/arbitraries.ts"

const instant = FastCheck.date({
  min: new Date(0),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true
}).map(DateTime.unsafeFromDate)
const milliseconds = FastCheck.nat().map(Duration.millis)
const count = FastCheck.nat()
const text = FastCheck.string()
const reference = FastCheck.tuple(host, repository, tag).map(([host, repository, tag]) =>
  ImageReference.unsafeParse(`${host}/${repository}:${tag}`)
)
const bytes = FastCheck.record(
  { bytesUploaded: count, bytesMounted: count, bytesExisting: count },
  { requiredKeys: [] }
)

const image = FastCheck.tuple(
  bytes,
  FastCheck.record({
    reference,
    digest: digestText.map(Digest.unsafeParse),
    repoDigest: text,
    status: FastCheck.constantFrom("pushed" as const, "unchanged" as const),
    transport: FastCheck.constantFrom("engine" as const, "direct" as const),
    attempts: FastCheck.integer({ min: 1 }),
    duration: milliseconds
  })
).map(([bytes, fields]) => new PushedImage({ ...fields, ...bytes }))

const error = FastCheck.oneof(
  FastCheck.record({ image: text, where: text }).map((fields) => report(new ImageNotFound(fields))),
  FastCheck.record({ image: text, transport: FastCheck.constantFrom("engine" as const, "direct" as const) }).map(
    (fields) => report(new PushStalled({ ...fields, quietFor: Duration.minutes(5) }))
  )
)

const ofPush = { pushId: text.map((id) => PushId.make(id)), at: instant }
const ended = { attempts: count, duration: milliseconds }

/** One arbitrary for each event there is: a new one does not compile until it is here. */
const events: { readonly [Tag in PushEvent["_tag"]]: FastCheck.Arbitrary<Extract<PushEvent, { readonly _tag: Tag }>> } =
  {
    PushQueued: FastCheck.record(
      {
        _tag: FastCheck.constant("PushQueued" as const),
        ...ofPush,
        source: text,
        target: text,
        registry: text,
        platform: text
      },
      { requiredKeys: ["_tag", "pushId", "at", "source", "target", "registry"] }
    ),
    PushStarted: FastCheck.record({ _tag: FastCheck.constant("PushStarted" as const), ...ofPush }),
    LayerProgress: FastCheck.record(
      { _tag: FastCheck.constant("LayerProgress" as const), ...ofPush, layer: text, current: count, total: count },
      { requiredKeys: ["_tag", "pushId", "at", "layer", "current"] }
    ),
    LayerPushed: FastCheck.record(
      {
        _tag: FastCheck.constant("LayerPushed" as const),
        ...ofPush,
        layer: text,
        outcome: FastCheck.constantFrom("uploaded" as const, "existing" as const, "mounted" as const),
        mountedFrom: text
      },
      { requiredKeys: ["_tag", "pushId", "at", "layer", "outcome"] }
    ),
    Reauthenticated: FastCheck.record({
      _tag: FastCheck.constant("Reauthenticated" as const),
      ...ofPush,
      registry: text,
      origin: text
    }),
    PushRetrying: FastCheck.record({
      _tag: FastCheck.constant("PushRetrying" as const),
      ...ofPush,
      attempt: count,
      delay: milliseconds,
      error
    }),
    PushCompleted: FastCheck.record({ _tag: FastCheck.constant("PushCompleted" as const), ...ofPush, image }),
    PushFailed: FastCheck.record({ _tag: FastCheck.constant("PushFailed" as const), ...ofPush, ...ended, error }),
    PushCrashed: FastCheck.record({
      _tag: FastCheck.constant("PushCrashed" as const),
      ...ofPush,
      ...ended,
      defect: text
    }),
    PushCancelled: FastCheck.record({
      _tag: FastCheck.constant("PushCancelled" as const),
      ...ofPush,
      ...ended,
      reason: FastCheck.constantFrom(...PushInterrupted.fields.reason.literals)
    }),
    RegistryPaused: FastCheck.record({
      _tag: FastCheck.constant("RegistryPaused" as const),
      at: instant,
      registry: text,
      delay: milliseconds,
      source: FastCheck.constantFrom("retry-after" as const, "estimate" as const)
    }),
    RegistryResumed: FastCheck.record({
      _tag: FastCheck.constant("RegistryResumed" as const),
      at: instant,
      registry: text
    }),
    RuntimeDrained: FastCheck.record({ _tag: FastCheck.constant("RuntimeDrained" as const), at: instant })
  }

const decode = Schema.decodeUnknownSync(PushEvent)
const encodeSync = (event: PushEvent) => Effect.runSync(encode(event))
const equal = Schema.equivalence(PushEvent)
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/

describe("PushEvent", () => {
  for (const [name, event] of Object.entries(events)) {
    it.prop(`${name} crosses a wire as JSON and comes back`, { event }, ({ event }) => {
      const json = JSON.stringify(encodeSync(event))
      const back = decode(JSON.parse(json))
      assert.isTrue(equal(back, event))
      assert.strictEqual(JSON.stringify(encodeSync(back)), json)
    })
  }

  it.prop(
    "instants are RFC 3339 in UTC and absent values are absent keys",
    { event: FastCheck.oneof(...Object.values(events)) },
    ({ event }) => {
      const json: { readonly at: string } = JSON.parse(JSON.stringify(encodeSync(event)))
      assert.match(json.at, rfc3339)
      assert.strictEqual(Date.parse(json.at), event.at.epochMillis)
      assert.notInclude(Object.values(json), null)
    }
  )

  it.prop(
    "the four ends of a push are its terminal events",
    { event: FastCheck.oneof(...Object.values(events)) },
    ({ event }) => {
      const ends = ["PushCompleted", "PushFailed", "PushCrashed", "PushCancelled"]
      assert.strictEqual(isTerminal(event), ends.includes(event._tag))
    }
  )
})
