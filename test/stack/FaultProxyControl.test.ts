import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as FaultProxyControl from "../../scripts/lib/stack/FaultProxyControl.ts"
import { origin, request } from "./support.ts"

const setup = Effect.gen(function* () {
  const proxy = yield* FaultProxy.make({ target: (yield* origin).host })
  const control = `127.0.0.1:${yield* FaultProxyControl.serve(proxy)}`
  return {
    proxy,
    control,
    rules: (rules: unknown) => request(control, "POST", "/rules", { body: JSON.stringify(rules) })
  }
})

describe("FaultProxyControl", () => {
  it.scoped("takes a rule or a list of rules, and removes them", () =>
    Effect.gen(function* () {
      const { control, proxy, rules } = yield* setup
      const answer = (path: string, status: number) => ({
        path,
        fault: { _tag: "Answer", status, headers: { a: "b" } }
      })
      assert.strictEqual((yield* rules(answer("^/x$", 418))).status, 204)
      assert.strictEqual((yield* rules([answer("^/y$", 419), answer("^/z$", 420)])).status, 204)
      const statuses = Effect.forEach(["/x", "/y", "/z"], (path) => request(proxy.host, "GET", path)).pipe(
        Effect.map((answers) => answers.map(({ status }) => status))
      )
      assert.deepStrictEqual(yield* statuses, [418, 419, 420])
      assert.strictEqual((yield* request(control, "DELETE", "/rules")).status, 204)
      assert.deepStrictEqual(yield* statuses, [201, 201, 201])
    })
  )

  it.scoped("refuses what is not a rule, and says what is wrong with it", () =>
    Effect.gen(function* () {
      const { proxy, rules } = yield* setup
      const refusals: ReadonlyArray<readonly [rule: unknown, complaint: string]> = [
        [{ metod: "GET", fault: { _tag: "Hang" } }, "metod"],
        [{ path: "(", fault: { _tag: "Hang" } }, "path"],
        [{ nth: 0 }, "nth"],
        [{ every: 0 }, "every"],
        [{ fault: { _tag: "Explode" } }, "fault"]
      ]
      for (const [rule, complaint] of refusals) {
        const answer = yield* rules(rule)
        assert.strictEqual(answer.status, 400)
        assert.include(answer.text, complaint)
      }
      assert.strictEqual((yield* request(proxy.host, "GET", "/")).status, 201)
    })
  )

  it.scoped("shows what arrived, and forgets it", () =>
    Effect.gen(function* () {
      const { control, proxy } = yield* setup
      yield* request(proxy.host, "GET", "/v2/?q=1")
      const shown: unknown = JSON.parse((yield* request(control, "GET", "/requests")).text)
      assert.deepStrictEqual(shown, JSON.parse(JSON.stringify(yield* proxy.requests)))
      yield* request(control, "DELETE", "/requests")
      assert.deepStrictEqual(yield* proxy.requests, [])
    })
  )

  it.scoped("answers a wait once the request has arrived", () =>
    Effect.gen(function* () {
      const { control, proxy } = yield* setup
      const wait = yield* Effect.fork(request(control, "GET", "/wait?method=GET&path=%5E%2Fb&nth=2"))
      for (const path of ["/b", "/a", "/b"]) {
        yield* request(proxy.host, "GET", path)
      }
      const found: unknown = JSON.parse((yield* Fiber.join(wait)).text)
      assert.deepInclude(found, { index: 3, path: "/b" })
    })
  )

  it.scoped("disconnects what stalls, and knows no other request", () =>
    Effect.gen(function* () {
      const { control, proxy, rules } = yield* setup
      yield* rules({ fault: { _tag: "Hang" } })
      const client = yield* Effect.fork(Effect.flip(request(proxy.host, "GET", "/")))
      yield* proxy.waitFor({})
      assert.strictEqual((yield* request(control, "POST", "/disconnect")).status, 204)
      yield* Fiber.join(client)
      assert.strictEqual((yield* request(control, "GET", "/rules/1")).status, 404)
    })
  )
})
