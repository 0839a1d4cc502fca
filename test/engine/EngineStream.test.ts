import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Stream from "effect/Stream"
import { EngineDisconnected, EngineRejected } from "../../src/engine/EngineError.ts"
import * as EngineStream from "../../src/engine/EngineStream.ts"
import * as Digest from "../../src/reference/Digest.ts"
import { type Recording, recording, recordings } from "./recordings.ts"

const address = { endpoint: "unix:///engine.sock", origin: "the test" }
const utf8 = new TextEncoder()
const { EngineEvent } = EngineStream

type Decoded = {
  readonly events: ReadonlyArray<EngineStream.EngineEvent>
  readonly end: Either.Either<void, EngineRejected | EngineDisconnected>
}

/** All events, and how the stream ended. */
const collect = <E extends EngineRejected | EngineDisconnected>(
  stream: Stream.Stream<EngineStream.EngineEvent, E>
): Decoded => {
  const events: Array<EngineStream.EngineEvent> = []
  const run = Stream.runForEachChunk(stream, (chunk) => Effect.sync(() => void events.push(...chunk)))
  return { events, end: Effect.runSync(Effect.either(run)) }
}

const push = (...parts: ReadonlyArray<Uint8Array>): Decoded =>
  collect(EngineStream.decodePush(Stream.fromIterable(parts), address))

const general = (...parts: ReadonlyArray<Uint8Array>): Decoded =>
  collect(EngineStream.decode(Stream.fromIterable(parts), address))

const byteByByte = (body: Uint8Array): ReadonlyArray<Uint8Array> => Array.from(body, (byte) => Uint8Array.of(byte))

const failureOf = (decoded: Decoded): EngineRejected | EngineDisconnected => Either.getOrThrow(Either.flip(decoded.end))

const sameAs = (expected: Decoded, actual: Decoded, how: string): void => {
  assert.deepStrictEqual(actual.events, expected.events, how)
  if (Either.isRight(expected.end)) return assert.isTrue(Either.isRight(actual.end), how)
  assert.deepStrictEqual({ ...failureOf(actual) }, { ...failureOf(expected) }, how)
}

const messageOf = ({ body }: Recording): string => {
  const last: { readonly error: string } = JSON.parse(new TextDecoder().decode(body).trim().split("\n").at(-1) ?? "")
  return last.error
}

const streamed = recordings.filter((one) => one.httpStatus === 200)
const ended = streamed.filter((one) => one.streamEnd === "complete")
const succeeds = (one: Recording) => one.expected === "pushed" || one.expected === "unchanged-layers"

describe("EngineStream", () => {
  describe("recorded streams", () => {
    it("plays every recording there is", () => {
      assert.strictEqual(recordings.length, 341)
      assert.isAbove(ended.filter(succeeds).length, 60)
    })

    for (const one of ended) {
      const result = Either.isRight(push(one.body).end)
      // The table's `expected` is what a whole push means; an answer without an error line is a push that went through.
      it(`${one.name} ends ${result ? "well with its result" : "with the engine's words"}`, () => {
        const decoded = push(one.body)
        if (succeeds(one)) {
          assert.isTrue(Either.isRight(decoded.end))
          assert.isAtLeast(decoded.events.filter(EngineEvent.$is("PushResult")).length, 1)
        } else if (result) {
          assert.strictEqual(one.expected, "Other")
        } else {
          const failure = failureOf(decoded)
          assert.instanceOf(failure, EngineRejected)
          assert.strictEqual(failure.status, 200)
          assert.strictEqual(failure.text.slice(0, 20), messageOf(one).slice(0, 20))
        }
      })
    }

    it("takes an answer that stops early for a lost engine, never for a push", () => {
      for (const one of recordings.filter((one) => one.streamEnd !== "complete")) {
        const decoded = push(one.body)
        assert.instanceOf(failureOf(decoded), EngineDisconnected, one.name)
        assert.deepStrictEqual(decoded.events.filter(EngineEvent.$is("PushResult")), [], one.name)
      }
    })

    it("gives the same events byte by byte", () => {
      for (const one of recordings) sameAs(push(one.body), push(...byteByByte(one.body)), one.name)
    })

    it("gives the same events split at every byte", () => {
      for (const one of recordings.filter(({ body }) => body.length < 4096)) {
        const whole = push(one.body)
        for (let at = 1; at < one.body.length; at++) {
          sameAs(whole, push(one.body.subarray(0, at), one.body.subarray(at)), `${one.name} at ${at}`)
        }
      }
    })

    it("cut anywhere before its result line, a good push is a lost engine", () => {
      const { body } = recording("d20-first-push")
      const result = new TextDecoder().decode(body).indexOf('{"status":"v1: digest')
      for (let at = 0; at <= result; at++) {
        assert.instanceOf(failureOf(push(body.subarray(0, at))), EngineDisconnected, `cut at ${at}`)
      }
    })

    it("tells layers, result and aux of a first push on the classic store", () => {
      const { events } = push(recording("d20-first-push").body)
      assert.deepStrictEqual(
        events[0],
        EngineEvent.Status({ text: "The push refers to repository [127.0.0.1:6200/team/app]" })
      )
      const layer = events.filter(EngineEvent.$is("LayerStatus")).filter((event) => event.layer === "2f73989338c0")
      assert.deepStrictEqual(
        layer.map(({ current, phase, total }) => [phase, current, total]),
        [
          ["preparing", undefined, undefined],
          ["pushing", 33280, 1048576],
          ["pushing", 1054720, 1048576],
          ["pushed", undefined, undefined]
        ]
      )
      const result = {
        tag: "v1",
        digest: Digest.unsafeParse("sha256:6b8486b51a989f01dccb621d458bcce06e4d7156cbe9d60173d6bdf5ae7d194d"),
        size: 947
      }
      assert.deepStrictEqual(events.slice(-2), [EngineEvent.PushResult(result), EngineEvent.PushAux(result)])
    })

    it("tells where a layer was mounted from", () => {
      const { events } = push(recording("d20-cross-repo-mount").body)
      const mounted = events.filter(EngineEvent.$is("LayerStatus")).filter((event) => event.phase === "mounted")
      assert.deepStrictEqual(
        mounted.map((event) => event.mountedFrom),
        ["team/app", "team/app", "team/app"]
      )
    })

    it("tells how long an engine waits before it tries again", () => {
      const { events } = push(recording("d20-503-upload-post").body)
      const waits = events.filter(EngineEvent.$is("LayerStatus")).filter((event) => event.phase === "retrying")
      assert.deepStrictEqual(
        waits.slice(0, 5).map((event) => event.retryAfterSeconds),
        [5, 4, 3, 2, 1]
      )
    })

    it("tells that one manifest was pushed instead of the index", () => {
      const { events } = push(recording("d28c-index-partial").body)
      assert.deepStrictEqual(
        events[1],
        EngineEvent.ManifestPushedInsteadOfIndex({
          originalIndex: Digest.unsafeParse("sha256:75a06667075b4be527c4eedea73d735a974390c73b4f626110dcba4c8851d3bd"),
          selectedManifest: Digest.unsafeParse(
            "sha256:d84181d2d81b8ca06cba4414c4502ed99799e3682b832f9f0c480d64e8a49c4f"
          )
        })
      )
    })

    it("knows every layer word that an engine was heard to say", () => {
      const unknown = recordings
        .flatMap((one) => push(one.body).events)
        .filter(EngineEvent.$is("LayerStatus"))
        .filter((event) => event.phase === "unknown")
      assert.deepStrictEqual(unknown, [])
    })
  })

  describe("framing", () => {
    const digest = `sha256:${"ab".repeat(32)}`
    const resultLine = `{"status":"v1: digest: ${digest} size: 5"}`
    const lines = FastCheck.array(
      FastCheck.oneof(
        FastCheck.fullUnicodeString().map((status) => JSON.stringify({ status: `x${status}` })),
        FastCheck.record({
          id: FastCheck.hexaString(),
          status: FastCheck.constantFrom("Pushing", "Waiting", "Brüten 🥚")
        }).map((message) => JSON.stringify({ ...message, progressDetail: {} })),
        FastCheck.constant(""),
        FastCheck.constant(resultLine)
      ),
      { maxLength: 8 }
    )
    const cuts = FastCheck.array(FastCheck.nat({ max: 2000 }), { maxLength: 6 })
    const cutAt = (body: Uint8Array, positions: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
      const ends = [...positions.filter((at) => at < body.length).sort((a, b) => a - b), body.length]
      return ends.map((end, index) => body.subarray(ends[index - 1] ?? 0, end))
    }

    it("gives the same events however the bytes are cut, with either line end and with or without the last", () => {
      FastCheck.assert(
        FastCheck.property(lines, cuts, FastCheck.constantFrom("\n", "\r\n"), (texts, positions, newline) => {
          const whole = general(utf8.encode(texts.join("\n")))
          const body = utf8.encode(texts.join(newline))
          sameAs(whole, general(...cutAt(body, positions)), "without the last")
          sameAs(whole, general(...cutAt(utf8.encode(texts.join(newline) + newline), positions)), "with the last")
          assert.isTrue(Either.isRight(whole.end))
        })
      )
    })

    it("reads a last line without a line feed", () => {
      assert.deepStrictEqual(push(utf8.encode(resultLine)).events, [
        EngineEvent.PushResult({ tag: "v1", digest: Digest.unsafeParse(digest), size: 5 })
      ])
      const failure = failureOf(push(utf8.encode('{"errorDetail":{"message":"denied: nö"},"error":"denied: nö"}')))
      assert.deepStrictEqual({ ...failure }, { _tag: "EngineRejected", status: 200, text: "denied: nö" })
    })

    it("keeps characters whole that are cut between bytes", () => {
      const body = utf8.encode('{"status":"é€🥚"}\n')
      for (let at = 1; at < body.length; at++) {
        const decoded = general(body.subarray(0, at), body.subarray(at))
        assert.deepStrictEqual(decoded.events, [EngineEvent.Status({ text: "é€🥚" })])
      }
    })

    it("keeps the events before an error and drops what follows it", () => {
      const decoded = push(utf8.encode(`{"status":"a"}\n{"error":"no"}\n${resultLine}\n`))
      assert.deepStrictEqual(decoded.events, [EngineEvent.Status({ text: "a" })])
      assert.deepStrictEqual({ ...failureOf(decoded) }, { _tag: "EngineRejected", status: 200, text: "no" })
    })

    it("reads a line of a megabyte in a thousand pieces", () => {
      const text = "é".repeat(512 * 1024)
      const body = utf8.encode(`{"status":"${text}"}\n${resultLine}\n`)
      const decoded = push(...Arr.makeBy(1024, (index) => body.subarray(index * 1025, (index + 1) * 1025)))
      assert.strictEqual(decoded.events.length, 2)
      assert.isTrue(Either.isRight(decoded.end))
    })

    it("copies a byte of a long line a few times at most, however small the pieces", () => {
      const copied = { bytes: 0 }
      const set = Uint8Array.prototype.set
      const body = utf8.encode(`{"status":"${"x".repeat(100_000)}"}\n`)
      Uint8Array.prototype.set = function (from, offset) {
        copied.bytes += from.length
        return set.call(this, from, offset)
      }
      try {
        assert.strictEqual(general(...byteByByte(body)).events.length, 1)
      } finally {
        Uint8Array.prototype.set = set
      }
      assert.isAbove(copied.bytes, body.length - 1)
      assert.isBelow(copied.bytes, body.length * 4)
    })

    it("refuses a line that never ends", () => {
      const piece = new Uint8Array(1024 * 1024).fill(0x20)
      const failure = failureOf(collect(EngineStream.decode(Stream.repeatValue(piece), address)))
      assert.instanceOf(failure, EngineRejected)
      assert.include(failure.message, `more than ${EngineStream.MAXIMUM_LINE_BYTES} bytes`)
    })

    it("ends with a typed outcome on any bytes", () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.uint8Array({ maxLength: 200 }), (body) => {
          const decoded = push(body)
          const failure = failureOf(decoded)
          assert.isTrue(failure instanceof EngineRejected || failure instanceof EngineDisconnected)
          sameAs(decoded, push(...byteByByte(body)), "byte by byte")
        })
      )
    })

    it("refuses a whole line that is no message, in its words", () => {
      for (const line of ["<html>502 Bad Gateway</html>", "[]", "12", '"text"', '{"status":']) {
        const failure = failureOf(push(utf8.encode(`${line}\n${resultLine}\n`)))
        assert.instanceOf(failure, EngineRejected)
        assert.include(failure.message, line)
      }
    })

    it("takes a last line that is cut for a lost engine", () => {
      const failure = failureOf(general(utf8.encode('{"status":"a"}\n{"sta')))
      assert.instanceOf(failure, EngineDisconnected)
      assert.include(failure.message, "unix:///engine.sock")
    })

    it("hands on the failure of the body after the events before it", () => {
      const lost = new EngineDisconnected({ ...address, detail: "killed" })
      const body = Stream.concat(Stream.make(utf8.encode(`${resultLine}\n`)), Stream.fail(lost))
      const decoded = collect(EngineStream.decodePush(body, address))
      assert.strictEqual(decoded.events.length, 1)
      assert.strictEqual(failureOf(decoded), lost)
    })

    it.effect("gives events before the answer is over", () =>
      Effect.gen(function* () {
        const body = Stream.concat(Stream.make(utf8.encode('{"status":"a"}\n')), Stream.never)
        const events = yield* Stream.runCollect(Stream.take(EngineStream.decodePush(body, address), 1))
        assert.deepStrictEqual(Chunk.toReadonlyArray(events), [EngineEvent.Status({ text: "a" })])
      })
    )
  })

  describe("texts", () => {
    const rejectedText = (error: string): string => {
      const failure = failureOf(push(utf8.encode(`${JSON.stringify({ error })}\n`)))
      assert.instanceOf(failure, EngineRejected)
      return failure.text
    }

    it("leaves a URL's query and user out of an error", () => {
      assert.strictEqual(
        rejectedText('Put "https://user:secret@reg.example/v2/a/blobs/uploads/1?_state=SIGNED&x=%2F": EOF'),
        'Put "https://reg.example/v2/a/blobs/uploads/1": EOF'
      )
      assert.strictEqual(
        rejectedText("Patch /v2/a/blobs/uploads/1?_state=SIGNED: reset"),
        "Patch /v2/a/blobs/uploads/1 reset"
      )
    })

    it("shows no query and no user of any URL, wherever it stands", () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.webUrl({ withQueryParameters: true }), FastCheck.string(), (url, around) => {
          const text = rejectedText(`x ${around} ${url.replace("://", "://name:pa55word@")}?token=SIGNED "${around}"`)
          assert.notInclude(text, "SIGNED")
          assert.notInclude(text, "pa55word")
        })
      )
    })

    it("leaves them out of status texts too", () => {
      const { events } = general(utf8.encode('{"status":"see https://a.example/x?sig=SIGNED"}\n'))
      assert.deepStrictEqual(events, [EngineEvent.Status({ text: "see https://a.example/x" })])
    })

    it("repeats at most 4096 characters, and no half of one", () => {
      const text = rejectedText(`${"x".repeat(4095)}🥚${"y".repeat(300_000)}`)
      assert.isBelow(text.length, 4200)
      assert.isTrue(text.startsWith(`${"x".repeat(4095)}…`))
    })

    it("keeps every recorded error whole but for its queries", () => {
      for (const one of ended.filter((one) => !succeeds(one) && one.body.includes('"error"'))) {
        assert.strictEqual(rejectedText(messageOf(one)), messageOf(one).replace(/\?[^\s"]+/g, ""), one.name)
      }
    })

    it("says so when an engine fails without a reason", () => {
      const failure = failureOf(push(utf8.encode('{"errorDetail":{}}\n')))
      assert.include(failure.message, "no reason")
    })
  })
})
