import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { EngineDisconnected, EngineRejected } from "../../src/engine/EngineError.ts"
import * as EngineStream from "../../src/engine/EngineStream.ts"
import * as Digest from "../../src/reference/Digest.ts"
import { messageOf, type Recording, recordings } from "../support/engineRecordings.ts"

const address = { endpoint: "unix:///engine.sock", origin: "the test" }
const utf8 = new TextEncoder()
const { EngineEvent } = EngineStream

/** For tests of thousands of streams, in milliseconds. */
const SLOW = 60_000

type Failure = EngineRejected | EngineDisconnected

interface Decoded {
  readonly events: ReadonlyArray<EngineStream.EngineEvent>
  readonly failure: Failure | undefined
}

const collect = (stream: Stream.Stream<EngineStream.EngineEvent, Failure>): Decoded => {
  const events: Array<EngineStream.EngineEvent> = []
  const run = Stream.runForEachChunk(stream, (chunk) => Effect.sync(() => void events.push(...chunk)))
  return { events, failure: Option.getOrUndefined(Either.getLeft(Effect.runSync(Effect.either(run)))) }
}

/** The parts come one at a time, as from a socket. */
const push = (...parts: ReadonlyArray<Uint8Array>): Decoded =>
  collect(EngineStream.decodePush(Stream.rechunk(Stream.fromIterable(parts), 1), address))

const general = (...parts: ReadonlyArray<Uint8Array>): Decoded =>
  collect(EngineStream.decode(Stream.rechunk(Stream.fromIterable(parts), 1), address))

const byteByByte = (body: Uint8Array): ReadonlyArray<Uint8Array> => Array.from(body, (byte) => Uint8Array.of(byte))

/** All of an outcome as text: comparing 200,000 of them as objects takes minutes. */
const show = ({ events, failure }: Decoded): string => JSON.stringify([events, failure])

const rejection = ({ failure }: Decoded): EngineRejected => {
  assert.instanceOf(failure, EngineRejected)
  return failure
}

const recording = (name: string): Recording => {
  const found = recordings.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no recording ${name}`)
  return found
}

const streamed = recordings.filter((one) => one.httpStatus === 200)
const ended = streamed.filter((one) => one.streamEnd === "complete")
const succeeds = (one: Recording) => one.expected === "pushed" || one.expected === "unchanged-layers"

describe("EngineStream", { timeout: SLOW }, () => {
  describe("recorded streams", () => {
    it("are all there", () => {
      assert.strictEqual(recordings.length, 341)
      assert.isAbove(ended.filter(succeeds).length, 60)
    })

    it.each(ended.filter(succeeds))("$name is a push that went through", (one) => {
      const { events, failure } = push(one.body)
      assert.isUndefined(failure)
      assert.isAtLeast(events.filter(EngineEvent.$is("PushResult")).length, 1)
    })

    // The table's `Other` (a caller's error, the engine's own settings) may well be a push that went through.
    it.each(ended.filter((one) => !succeeds(one)))("$name is told in the engine's words", (one) => {
      const decoded = push(one.body)
      if (decoded.failure === undefined) {
        assert.strictEqual(one.expected, "Other")
        return assert.strictEqual(decoded.events.filter(EngineEvent.$is("PushResult")).length, 1)
      }
      const { status, text } = rejection(decoded)
      assert.strictEqual(status, 200)
      assert.strictEqual(text, messageOf(one)?.replace(/\?[^\s"]+/g, ""))
    })

    it("that stop early are a lost engine, never a push", () => {
      for (const one of recordings.filter((one) => one.streamEnd !== "complete")) {
        const { events, failure } = push(one.body)
        assert.instanceOf(failure, EngineDisconnected, one.name)
        assert.deepStrictEqual(events.filter(EngineEvent.$is("PushResult")), [], one.name)
      }
    })

    it("give the same outcome byte by byte", () => {
      for (const one of recordings)
        assert.strictEqual(show(push(...byteByByte(one.body))), show(push(one.body)), one.name)
    })

    // Every split of every recording is lineFramer.test.ts's: it costs a hundredth there.
    it("give the same outcome split at every byte, the shortest good and bad push of each engine", () => {
      const shortestFirst = [...recordings].sort((a, b) => a.body.length - b.body.length)
      const kinds = Arr.dedupeWith(
        shortestFirst,
        (a, b) => succeeds(a) === succeeds(b) && a.name.split("-")[0] === b.name.split("-")[0]
      )
      assert.isAtLeast(kinds.length, 10)
      for (const one of kinds) {
        const whole = show(push(one.body))
        for (let at = 1; at < one.body.length; at++) {
          const split = push(one.body.subarray(0, at), one.body.subarray(at))
          assert.strictEqual(show(split), whole, `${one.name} at ${at}`)
        }
      }
    })

    it("are a lost engine when a good push is cut anywhere before its result line", () => {
      const { body } = recording("d28c-first-push")
      const result = new TextDecoder().decode(body).indexOf('{"status":"v1: digest')
      for (let at = 0; at <= result; at++) {
        assert.instanceOf(push(body.subarray(0, at)).failure, EngineDisconnected, `cut at ${at}`)
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
          assert.strictEqual(show(general(...cutAt(body, positions))), show(whole))
          assert.strictEqual(
            show(general(...cutAt(utf8.encode(texts.join(newline) + newline), positions))),
            show(whole)
          )
          assert.isUndefined(whole.failure)
        })
      )
    })

    it("reads a last line without a line feed", () => {
      assert.deepStrictEqual(push(utf8.encode(resultLine)).events, [
        EngineEvent.PushResult({ tag: "v1", digest: Digest.unsafeParse(digest), size: 5 })
      ])
      const refused = push(utf8.encode('{"errorDetail":{"message":"denied: nö"},"error":"denied: nö"}'))
      assert.strictEqual(rejection(refused).text, "denied: nö")
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
      assert.strictEqual(rejection(decoded).text, "no")
    })

    it("reads a line of a megabyte in a thousand pieces", () => {
      const text = "é".repeat(512 * 1024)
      const body = utf8.encode(`{"status":"${text}"}\n${resultLine}\n`)
      const decoded = push(...Arr.makeBy(1024, (index) => body.subarray(index * 1025, (index + 1) * 1025)))
      assert.strictEqual(decoded.events.length, 2)
      assert.isUndefined(decoded.failure)
    })

    it("refuses a line that never ends", () => {
      const piece = new Uint8Array(1024 * 1024).fill(0x20)
      const { message } = rejection(collect(EngineStream.decode(Stream.repeatValue(piece), address)))
      assert.include(message, `more than ${EngineStream.MAXIMUM_LINE_BYTES} bytes`)
    })

    it("ends with a typed outcome on any bytes", () => {
      FastCheck.assert(
        FastCheck.property(FastCheck.uint8Array({ maxLength: 200 }), (body) => {
          const decoded = push(body)
          assert.isTrue(decoded.failure instanceof EngineRejected || decoded.failure instanceof EngineDisconnected)
          assert.strictEqual(show(push(...byteByByte(body))), show(decoded))
        })
      )
    })

    it("refuses a whole line that is no message, in its words", () => {
      for (const line of ["<html>502 Bad Gateway</html>", "[]", "12", '"text"', '{"status":']) {
        assert.include(rejection(push(utf8.encode(`${line}\n${resultLine}\n`))).message, line)
      }
    })

    it("takes a last line that is cut for a lost engine", () => {
      const { failure } = general(utf8.encode('{"status":"a"}\n{"sta'))
      assert.instanceOf(failure, EngineDisconnected)
      assert.include(failure.message, "unix:///engine.sock")
    })

    it("hands on the failure of the body after the events before it", () => {
      const lost = new EngineDisconnected({ ...address, detail: "killed" })
      const body = Stream.concat(Stream.make(utf8.encode(`${resultLine}\n`)), Stream.fail(lost))
      const decoded = collect(EngineStream.decodePush(body, address))
      assert.strictEqual(decoded.events.length, 1)
      assert.strictEqual(decoded.failure, lost)
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
    const rejectedText = (error: string): string => rejection(push(utf8.encode(`${JSON.stringify({ error })}\n`))).text

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

    it("says so when an engine fails without a reason", () => {
      assert.include(rejection(push(utf8.encode('{"errorDetail":{}}\n'))).message, "no reason")
    })
  })
})
