import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ImageFixture from "../../scripts/lib/stack/ImageFixture.ts"
import * as LabUser from "../../scripts/lib/stack/LabUser.ts"
import { readReport, run, temporaryFolder } from "./support/command.ts"
import { describeLive, LiveStack, loadedImage, skopeoInspect, uniqueRepository } from "./support/stack.ts"

const { MiB } = ImageFixture

const images = 8

describeLive("images that share a layer, pushed at once to repositories of their own", (it) => {
  for (const name of ["open", "htpasswd", "token"] as const) {
    it.scoped(`send it once to the ${name} registry, and the others mount it from there`, () =>
      Effect.gen(function* () {
        const { engine, registries } = yield* LiveStack
        const registry = registries[name]
        const group = uniqueRepository("shared")
        const references = Array.from({ length: images }, (_, index) => `${registry.host}/${group}/app-${index}:v1`)
        yield* Effect.forEach(references, (reference) =>
          loadedImage(engine, {
            tags: [reference],
            layers: [
              { seed: group, size: 8 * MiB },
              { seed: reference, size: 20_000 }
            ]
          })
        )
        const report = join(yield* temporaryFolder, "report.json")
        const { username, password } = LabUser.dev
        const login = name === "open" ? [] : ["--username", username, "--password-stdin"]
        const [pushed, requests] = yield* registry.observe(
          run(["push", ...references, ...login, "--concurrency", String(images), "--report", report], {
            engine,
            stdin: password
          })
        )
        assert.strictEqual(pushed.code, 0, pushed.stderr)
        const started = requests.filter(
          ({ method, path }) => method === "POST" && path.includes(group) && path.endsWith("/blobs/uploads/")
        )
        assert.strictEqual(started.filter(({ status }) => status === 201).length, images - 1, "mounts")
        // The shared one, and each image's own layer and configuration.
        assert.strictEqual(started.filter(({ status }) => status === 202).length, 1 + 2 * images, "uploads")
        const { results } = yield* readReport(report)
        assert.strictEqual(results.filter(({ bytesMounted = 0 }) => bytesMounted > 8 * MiB).length, images - 1)
        for (const { digest, target } of results) {
          assert.strictEqual((yield* skopeoInspect(target, name === "open" ? undefined : LabUser.dev)).digest, digest)
        }
      })
    )
  }
})
