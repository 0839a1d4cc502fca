import * as http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import { eventually, origin, request } from "./support.ts"

const { Fault } = FaultProxy

const setup = (...rules: ReadonlyArray<FaultProxy.FaultRule>) =>
  Effect.gen(function* () {
    const server = yield* origin
    const proxy = yield* FaultProxy.make({ target: server.host, rules })
    return { proxy, reached: server.reached }
  })

/** Until somebody sleeps on the test clock; an adjustment before that would be slept through. */
const asleep = Effect.repeat(Effect.zipRight(Effect.yieldNow(), TestClock.sleeps()), {
  until: (sleeps) => sleeps.length > 0
})

const tenBytes = "0123456789"

describe("FaultProxy", () => {
  describe("without a rule", () => {
    it.scoped("passes method, path, query, Host, headers and body on, and the answer back, unchanged", () =>
      Effect.gen(function* () {
        const { proxy, reached } = yield* setup()
        const path = "/v2/a%2Fb/blobs/uploads/?digest=sha256%3Aab&_state=x"
        const answer = yield* request(proxy.host, "PATCH", path, {
          headers: { "transfer-encoding": "chunked", "content-range": "0-9", "x-twice": ["a", "b"] },
          body: tenBytes
        })
        assert.strictEqual(reached[0]?.line, `PATCH ${path}`)
        assert.strictEqual(reached[0]?.headers.host, proxy.host)
        assert.strictEqual(reached[0]?.headers["transfer-encoding"], "chunked")
        assert.strictEqual(reached[0]?.headers["content-range"], "0-9")
        assert.strictEqual(reached[0]?.headers["x-twice"], "a, b")
        assert.strictEqual(reached[0]?.body, tenBytes)
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.headers.location, `http://${proxy.host}${path}`)
        assert.strictEqual(answer.headers["x-twice"], "a, b")
        assert.strictEqual(answer.text, tenBytes)
      })
    )

    it.scoped("passes an answer without a body", () =>
      Effect.gen(function* () {
        const { proxy } = yield* setup()
        const answer = yield* request(proxy.host, "HEAD", "/v2/")
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.text, "")
      })
    )

    it.scoped("closes the connection without an answer when the registry is down", () =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const server = yield* Scope.extend(origin, scope)
        yield* Scope.close(scope, Exit.void)
        const proxy = yield* FaultProxy.make({ target: server.host })
        const cut = yield* Effect.flip(request(proxy.host, "GET", "/v2/"))
        assert.strictEqual(cut.status, undefined)
        assert.strictEqual((yield* proxy.requests)[0]?.outcome, "cut")
      })
    )

    it.scoped("drops the registry's connection when the client leaves", () =>
      Effect.gen(function* () {
        const { proxy, reached } = yield* setup({ fault: Fault.StallRequest({ afterBytes: 5 }) })
        const client = yield* Effect.fork(request(proxy.host, "PATCH", "/upload", { body: tenBytes }))
        yield* eventually(() => reached[0]?.body === "01234")
        yield* Fiber.interrupt(client)
        yield* eventually(() => reached[0]?.end === "aborted")
        assert.strictEqual((yield* proxy.requests)[0]?.outcome, "cut")
      })
    )
  })

  describe("records", () => {
    it.scoped("what arrived, in order, without a path's query and without a credential", () =>
      Effect.gen(function* () {
        const { proxy } = yield* setup()
        yield* request(proxy.host, "GET", "/token?password=hunter2", {
          headers: { authorization: "Basic aHVudGVyMg==", cookie: "hunter2", accept: "text/plain" }
        })
        yield* request(proxy.host, "PUT", "/v2/", { body: tenBytes })
        const [first, second] = yield* proxy.requests
        assert.deepInclude(first, { index: 1, method: "GET", path: "/token", status: 201, outcome: "answered" })
        assert.deepStrictEqual(first?.headers, { accept: "text/plain", authorization: "Basic", host: proxy.host })
        assert.deepInclude(second, { index: 2, method: "PUT", requestBytes: 10, responseBytes: 10, fault: "Forward" })
        const text = JSON.stringify(yield* proxy.requests)
        assert.notInclude(text, "hunter2")
        assert.notInclude(text, "aHVudGVyMg")
      })
    )

    it.scoped("nothing of what was forgotten, and goes on counting", () =>
      Effect.gen(function* () {
        const { proxy } = yield* setup()
        yield* request(proxy.host, "GET", "/old")
        yield* proxy.forget
        assert.deepStrictEqual(yield* proxy.requests, [])
        yield* request(proxy.host, "GET", "/new")
        assert.deepStrictEqual(
          (yield* proxy.requests).map(({ path }) => path),
          ["/new"]
        )
      })
    )

    it.scoped("let a test wait for the nth request that matches", () =>
      Effect.gen(function* () {
        const { proxy } = yield* setup()
        const second = yield* Effect.fork(proxy.waitFor({ method: "GET", path: /^\/b$/, nth: 2 }))
        yield* request(proxy.host, "GET", "/b")
        yield* request(proxy.host, "PUT", "/b")
        yield* request(proxy.host, "GET", "/bb")
        assert.isTrue(Option.isNone(yield* Fiber.poll(second)))
        yield* request(proxy.host, "GET", "/b")
        assert.strictEqual((yield* Fiber.join(second)).index, 4)
        assert.strictEqual((yield* proxy.waitFor({ method: "PUT" })).index, 2)
      })
    )
  })

  describe("applies a rule", () => {
    const paths = ["/a", "/b", "/a", "/a", "/a"]
    const teapots = (...rules: ReadonlyArray<FaultProxy.FaultRule>) =>
      Effect.gen(function* () {
        const { proxy } = yield* setup(...rules)
        const answers = yield* Effect.forEach(paths, (path) => request(proxy.host, "GET", path))
        return answers.map((answer) => answer.status)
      })
    const fault = Fault.Answer({ status: 418 })

    it.scoped("to the nth request that matches", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* teapots({ path: /^\/a/, nth: 2, fault }), [201, 201, 418, 201, 201])
      })
    )

    it.scoped("from the nth request that matches", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* teapots({ path: /^\/a/, from: 3, fault }), [201, 201, 201, 418, 418])
      })
    )

    it.scoped("to every nth request that matches", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* teapots({ path: /^\/a/, every: 2, fault }), [201, 201, 418, 201, 418])
        assert.deepStrictEqual(yield* teapots({ path: /^\/a/, every: 2, from: 3, fault }), [201, 201, 201, 201, 418])
      })
    )

    it.scoped("to every request that matches", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* teapots({ path: /a/, fault }), [418, 201, 418, 418, 418])
        assert.deepStrictEqual(yield* teapots({ method: "PUT", fault }), [201, 201, 201, 201, 201])
      })
    )

    it.scoped("before those that were added later, all of which count", () =>
      Effect.gen(function* () {
        const other = Fault.Answer({ status: 429 })
        const statuses = yield* teapots({ nth: 2, fault }, { nth: 2, fault: other }, { nth: 3, fault: other })
        assert.deepStrictEqual(statuses, [201, 418, 429, 201, 201])
      })
    )

    it.scoped("whose pattern remembers where it was, to each path from its start", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* teapots({ path: /a/g, fault }), [418, 201, 418, 418, 418])
      })
    )

    it.scoped("until the rules are cleared", () =>
      Effect.gen(function* () {
        const { proxy } = yield* setup({ fault })
        assert.strictEqual((yield* request(proxy.host, "GET", "/")).status, 418)
        yield* proxy.clear
        assert.strictEqual((yield* request(proxy.host, "GET", "/")).status, 201)
      })
    )
  })

  it.scoped("Answer gives its status, headers and body, and the registry never hears of the request", () =>
    Effect.gen(function* () {
      const fault = Fault.Answer({ status: 429, headers: { "retry-after": "7" }, body: "slow down" })
      const { proxy, reached } = yield* setup({ fault })
      const answer = yield* request(proxy.host, "POST", "/", { body: tenBytes })
      assert.deepInclude(answer, { status: 429, text: "slow down" })
      assert.strictEqual(answer.headers["retry-after"], "7")
      assert.deepStrictEqual(reached, [])
      assert.deepInclude((yield* proxy.requests)[0], { status: 429, fault: "Answer", outcome: "answered" })
    })
  )

  it.scoped("Answer leaves a kept connection usable, however much of a body was on its way", () =>
    Effect.gen(function* () {
      const { proxy } = yield* setup({ method: "PATCH", fault: Fault.Answer({ status: 503 }) })
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() => new http.Agent({ keepAlive: true, maxSockets: 1 })),
        (agent) => Effect.sync(() => agent.destroy())
      )
      const body = "x".repeat(3_000_000)
      assert.strictEqual((yield* request(proxy.host, "PATCH", "/", { agent, body })).status, 503)
      assert.strictEqual((yield* request(proxy.host, "GET", "/", { agent })).status, 201)
      const upload = yield* proxy.waitFor({ method: "PATCH", when: (record) => record.requestBytes === body.length })
      assert.strictEqual(upload.status, 503)
    })
  )

  it.scoped("delay holds a request back for its time before the registry hears of it", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ delay: "3 seconds" })
      const client = yield* Effect.fork(request(proxy.host, "GET", "/"))
      yield* proxy.waitFor({})
      yield* asleep
      yield* TestClock.adjust("2999 millis")
      assert.deepStrictEqual(reached, [])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(client)).status, 201)
    })
  )

  it.scoped("bytesPerSecond lets a tenth of a second's bytes pass at a time, both ways", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ bytesPerSecond: 40 })
      const client = yield* Effect.fork(request(proxy.host, "PUT", "/", { body: tenBytes }))
      for (const [pause, sent] of [
        ["100 millis", "0123"],
        ["100 millis", "01234567"],
        ["50 millis", "0123456789"]
      ] as const) {
        yield* asleep
        yield* TestClock.adjust(pause)
        yield* eventually(() => reached[0]?.body === sent)
      }
      for (const [pause, given] of [
        ["100 millis", 4],
        ["100 millis", 8],
        ["50 millis", 10]
      ] as const) {
        assert.isTrue(Option.isNone(yield* Fiber.poll(client)))
        yield* asleep
        yield* TestClock.adjust(pause)
        yield* proxy.waitFor({ when: (record) => record.responseBytes === given })
      }
      assert.strictEqual((yield* Fiber.join(client)).text, tenBytes)
    })
  )

  it.scoped("CutRequest closes both sides after n bytes of the request's body", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ fault: Fault.CutRequest({ afterBytes: 7 }) })
      const cut = yield* Effect.flip(request(proxy.host, "PATCH", "/", { body: tenBytes }))
      assert.strictEqual(cut.status, undefined)
      yield* eventually(() => reached[0]?.end === "aborted")
      assert.strictEqual(reached[0]?.body, "0123456")
      const record = yield* proxy.waitFor({ when: ({ outcome }) => outcome !== "open" })
      assert.deepInclude(record, { requestBytes: 7, outcome: "cut", status: undefined })
    })
  )

  it.scoped("StallRequest stops reading after n bytes and stays silent until it is disconnected", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ nth: 1, fault: Fault.StallRequest({ afterBytes: 100_000 }) })
      const body = "x".repeat(20_000_000)
      const client = yield* Effect.fork(Effect.flip(request(proxy.host, "PATCH", "/", { body })))
      yield* proxy.waitFor({ when: (record) => record.requestBytes >= 100_000 })
      // A request that comes later, but is answered, shows that the stalled one had its time.
      yield* request(proxy.host, "GET", "/")
      assert.isTrue(Option.isNone(yield* Fiber.poll(client)))
      assert.deepInclude((yield* proxy.requests)[0], { requestBytes: 100_000, outcome: "open" })
      assert.strictEqual(reached[0]?.body.length, 100_000)
      yield* proxy.disconnect
      assert.strictEqual((yield* Fiber.join(client)).status, undefined)
      yield* eventually(() => reached[0]?.end === "aborted")
    })
  )

  it.scoped("CutResponse closes the client's connection after n bytes of the response's body", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ fault: Fault.CutResponse({ afterBytes: 4 }) })
      const cut = yield* Effect.flip(request(proxy.host, "PUT", "/", { body: tenBytes }))
      assert.deepInclude(cut, { status: 201, received: "0123" })
      assert.strictEqual(reached[0]?.end, "complete")
      const record = yield* proxy.waitFor({ when: ({ outcome }) => outcome !== "open" })
      assert.deepInclude(record, { responseBytes: 4, outcome: "cut", status: 201 })
    })
  )

  it.scoped("CutResponse after 0 bytes gives the head alone", () =>
    Effect.gen(function* () {
      const { proxy } = yield* setup({ fault: Fault.CutResponse({ afterBytes: 0 }) })
      const cut = yield* Effect.flip(request(proxy.host, "PUT", "/", { body: tenBytes }))
      assert.deepInclude(cut, { status: 201, received: "" })
    })
  )

  it.scoped("StallResponse gives n bytes of the response's body and no end", () =>
    Effect.gen(function* () {
      const { proxy } = yield* setup({ nth: 1, fault: Fault.StallResponse({ afterBytes: 4 }) })
      let received = ""
      const client = yield* Effect.fork(
        Effect.flip(
          request(proxy.host, "PUT", "/", {
            body: tenBytes,
            received: (text) => {
              received = text
            }
          })
        )
      )
      yield* eventually(() => received === "0123")
      yield* request(proxy.host, "GET", "/")
      assert.isTrue(Option.isNone(yield* Fiber.poll(client)))
      yield* proxy.disconnect
      assert.deepInclude(yield* Fiber.join(client), { status: 201, received: "0123" })
    })
  )

  it.scoped("LoseAnswer lets the registry finish and keeps all of its answer from the client", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ fault: Fault.LoseAnswer() })
      const cut = yield* Effect.flip(request(proxy.host, "PUT", "/", { body: tenBytes }))
      assert.strictEqual(cut.status, undefined)
      assert.deepInclude(reached[0], { body: tenBytes, end: "complete" })
      const record = yield* proxy.waitFor({ when: ({ outcome }) => outcome !== "open" })
      assert.deepInclude(record, { status: 201, responseBytes: 0, outcome: "cut" })
    })
  )

  it.scoped("Hang reads a request, passes nothing on and never answers", () =>
    Effect.gen(function* () {
      const { proxy, reached } = yield* setup({ method: "PUT", fault: Fault.Hang() })
      const client = yield* Effect.fork(Effect.flip(request(proxy.host, "PUT", "/", { body: tenBytes })))
      yield* proxy.waitFor({ when: (record) => record.requestBytes === 10 })
      yield* request(proxy.host, "GET", "/")
      assert.isTrue(Option.isNone(yield* Fiber.poll(client)))
      assert.deepStrictEqual(
        reached.map(({ line }) => line),
        ["GET /"]
      )
      yield* proxy.disconnect
      yield* Fiber.join(client)
    })
  )

  it.scoped("ends with its scope, what stalls included", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { proxy } = yield* Scope.extend(setup({ fault: Fault.Hang() }), scope)
      const client = yield* Effect.fork(Effect.flip(request(proxy.host, "GET", "/")))
      yield* proxy.waitFor({})
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(client)
      assert.strictEqual((yield* Effect.flip(request(proxy.host, "GET", "/"))).status, undefined)
    })
  )
})
