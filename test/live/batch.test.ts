import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import * as Stack from "../../scripts/lib/stack/Stack.ts"
import type { Result } from "../../src/cli/Report.ts"
import { readReport, start, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const count = 60

const statusesOf = (results: ReadonlyArray<Result>) =>
  Object.fromEntries(results.map(({ status, target }) => [target, status]))

describeLive("a batch through a real engine", (it) => {
  it.scoped("loses only the image that is missing when a registry is killed half-way, and sends nothing again", () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const mortal = yield* Stack.registry("open")
      const proxy = yield* FaultProxy.make({ target: mortal.host })
      const batch = uniqueRepository("batch")
      const images = Array.from({ length: count }, (_, index) => ({
        seed: `${batch} ${index}`,
        names: [registries.open.host, proxy.host].map((host) => `${host}/${batch}/app-${index}:v1`)
      }))
      const missing = images[count / 2]?.names ?? []
      const present = images.filter(({ names }) => names !== missing)
      yield* Effect.forEach(
        present,
        ({ names, seed }) =>
          loadedImage(engine, {
            tags: names,
            layers: [
              { seed: batch, size: 200_000 },
              { seed, size: 20_000 }
            ]
          }),
        { concurrency: 4 }
      )
      const report = join(yield* temporaryFolder, "report.json")
      const targets = images.flatMap(({ names }) => names)
      // Enough retries to outlast a restart on a busy machine: the waits are random, and the first ones short.
      const push = start(["push", ...targets, "--retries", "8", "--progress", "none", "--report", report], { engine })

      const half = { method: "PUT", path: /\/manifests\//, nth: count / 2 }
      // Cut here too, so that one push at least is lost with the registry, however fast it comes back.
      yield* proxy.add({ ...half, fault: FaultProxy.Fault.CutRequest({ afterBytes: 0 }) })
      const { ended } = yield* push
      yield* Effect.raceFirst(proxy.waitFor(half), ended)
      yield* mortal.kill
      yield* mortal.start
      const first = yield* ended
      assert.strictEqual(first.code, 1, first.stderr)
      const { results, ...counts } = yield* readReport(report)
      assert.deepInclude(counts, { total: 2 * count, pushed: 2 * count - 2, failed: 2, cancelled: 0 })
      assert.deepStrictEqual(
        results.map(({ target }) => target),
        targets
      )
      assert.isAbove(Math.max(...results.map(({ attempts }) => attempts)), 1, "one was tried again")
      for (const { error, status, target } of results) {
        const isMissing = missing.includes(target)
        assert.strictEqual(status, isMissing ? "failed" : "pushed", `${target}: ${error?.message}`)
        assert.strictEqual(error?._tag, isMissing ? "ImageNotFound" : undefined)
      }
      const seen = yield* Effect.forEach(
        targets,
        (target) =>
          skopeoInspect(target).pipe(
            Effect.map(({ digest }) => digest),
            Effect.orElseSucceed(() => undefined)
          ),
        { concurrency: 4 }
      )
      assert.deepStrictEqual(
        results.map(({ digest }) => digest),
        seen
      )
      assert.strictEqual(
        first.stdout,
        seen.flatMap((digest, i) => (digest ? [`${targets[i]?.slice(0, -":v1".length)}@${digest}\n`] : [])).join("")
      )

      yield* proxy.forget
      const [second, requests] = yield* registries.open.observe(Effect.flatMap(push, ({ ended }) => ended))
      assert.strictEqual(second.code, 1, second.stderr)
      const again = yield* readReport(report)
      assert.deepInclude(again, { total: 2 * count, unchanged: 2 * count - 2, failed: 2 })
      assert.deepStrictEqual(
        statusesOf(again.results.filter(({ status }) => status === "failed")),
        Object.fromEntries(missing.map((target) => [target, "failed"]))
      )
      assert.deepStrictEqual(
        again.results.map(({ digest }) => digest),
        seen
      )
      assert.deepStrictEqual(
        [...requests, ...(yield* proxy.requests)].filter(({ method }) => method !== "GET" && method !== "HEAD"),
        []
      )
    })
  )
})
