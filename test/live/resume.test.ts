import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FaultProxy from "../../scripts/lib/stack/FaultProxy.ts"
import type { Registry } from "../../scripts/lib/stack/Registry.ts"
import { readReport, start, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const kills = 20

const layers = ["a", "b", "c"].map((layer) => ({ seed: layer, size: 200_000 }))

const stored = /"PUT (\/v2\/[^ ?"]+)(?:\?[^ "]*\bdigest=sha256(?:%3A|:)([0-9a-f]{64})[^ "]*)? HTTP[^"]*" 201 /

interface Stored {
  readonly blobs: ReadonlyArray<string>
  readonly manifests: ReadonlyArray<string>
}

/** What a registry says that it has stored below a folder of repositories, in its own log, each as often as it was sent. */
const storedBelow = (registry: Registry, folder: string): Effect.Effect<Stored> =>
  Effect.gen(function* () {
    // Settles the log.
    yield* registry.requests
    const text = yield* Effect.promise(() => readFile(registry.accessLog, "utf8"))
    const puts = text.split("\n").flatMap((line) => {
      const [, path = "", hex] = stored.exec(line) ?? []
      const [repository = "", kind] = path.slice("/v2/".length).split(/\/(blobs|manifests)\//)
      return repository.startsWith(`${folder}/`) ? [{ repository, kind, hex }] : []
    })
    return {
      blobs: puts.flatMap(({ hex, repository }) => (hex === undefined ? [] : [`${repository}@sha256:${hex}`])),
      manifests: puts.flatMap(({ kind, repository }) => (kind === "manifests" ? [repository] : []))
    }
  }).pipe(Effect.orDie)

describeLive("a push that was killed", (it) => {
  it.scoped(`is taken up again from wherever kill -9 left it: ${kills} moments, no stored blob sent twice`, () =>
    Effect.gen(function* () {
      const { engine, registries } = yield* LiveStack
      const seeds = uniqueRepository("resume")
      const images = yield* Effect.forEach(["x", "y", "z"], (name) =>
        loadedImage(engine, {
          tags: [`${seeds}/${name}:v1`],
          layers: layers.map(({ seed, size }) => ({ seed: `${seeds} ${name} ${seed}`, size }))
        })
      )
      const report = yield* temporaryFolder

      /** Names for the images at a proxy of their own: a new host, so that the engine has nothing to mount from. */
      const prepared = Effect.gen(function* () {
        const proxy = yield* FaultProxy.make({ target: registries.open.host })
        const folder = uniqueRepository("resume")
        const targets = images.map((_, index) => `${proxy.host}/${folder}/app-${index}:v1`)
        yield* Effect.forEach(images, ({ id }, index) => engine.api.tag(id, targets[index] ?? ""))
        const file = join(report, `${proxy.port}.json`)
        const push = start(["push", ...targets, "--progress", "none", "--report", file], { engine })
        return { proxy, folder, targets, file, push }
      })

      const whole = yield* prepared
      assert.strictEqual((yield* Effect.flatMap(whole.push, ({ ended }) => ended)).code, 0)
      const total = (yield* whole.proxy.requests).length
      const digests = (yield* readReport(whole.file)).results.map(({ digest }) => digest)
      assert.deepStrictEqual(
        yield* Effect.forEach(whole.targets, (target) => Effect.map(skopeoInspect(target), ({ digest }) => digest)),
        digests
      )
      const complete = yield* storedBelow(registries.open, whole.folder)
      assert.strictEqual(complete.blobs.length, images.length * (layers.length + 1))

      const killedAt = (nth: number) =>
        Effect.gen(function* () {
          const { file, folder, proxy, push, targets } = yield* prepared
          const { child, ended } = yield* push
          yield* Effect.raceFirst(proxy.waitFor({ nth }), ended)
          child.kill("SIGKILL")
          assert.strictEqual((yield* ended).code, null, `killed at request ${nth} of ${total}`)

          const before = yield* storedBelow(registries.open, folder)
          const second = yield* Effect.flatMap(push, ({ ended }) => ended)
          assert.strictEqual(second.code, 0, second.stderr)
          const { results } = yield* readReport(file)
          assert.deepStrictEqual(
            results.map(({ digest }) => digest),
            digests
          )
          for (const [index, { status }] of results.entries()) {
            if (before.manifests.some((repository) => targets[index]?.includes(`/${repository}:`))) {
              assert.strictEqual(status, "unchanged", `${targets[index]} killed at request ${nth}`)
            }
          }
          const after = (yield* storedBelow(registries.open, folder)).blobs.slice(before.blobs.length)
          assert.deepStrictEqual(
            after.filter((blob) => before.blobs.includes(blob)),
            [],
            `killed at request ${nth}`
          )
          assert.strictEqual(new Set([...before.blobs, ...after]).size, complete.blobs.length)
          return { before: before.blobs.length, after: after.length }
        })

      const moments = yield* Effect.forEach(
        Array.from({ length: kills }, (_, index) => 1 + Math.floor((index * (total - 1)) / kills)),
        killedAt,
        { concurrency: 4 }
      )
      assert.isTrue(
        moments.some(({ after, before }) => before > 0 && after > 0),
        "some were killed in the middle"
      )
    })
  )
})
