import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/TestClock"
import { adviceOn, layerNearImages } from "../../../src/cli/internal/nearImages.ts"
import * as ImageSource from "../../../src/image/ImageSource.ts"
import { ImageNotFound } from "../../../src/push/PushError.ts"
import * as ImageReference from "../../../src/reference/ImageReference.ts"
import * as TestTransport from "../../../src/testing/TestTransport.ts"
import { PushTransport } from "../../../src/transport/PushTransport.ts"

const names = ["app:1.2", "app:1.3", "app:2", "app:3", "ghcr.io/acme/worker:1", "localhost:5000/api:latest", "alpine:3"]

const advice = (image: string) => Option.getOrUndefined(adviceOn(image, names))

const missing = new ImageNotFound({ image: "ap:2", where: "the engine at unix:///e.sock" })

/** Pushes an image that is not there, with an engine that says which it has. */
const pushMissing = <E>(engineNames: Effect.Effect<ReadonlyArray<string>, E>) =>
  Effect.flatMap(PushTransport, (transport) =>
    transport.push({
      source: ImageSource.docker(ImageReference.unsafeParse("ap:2")),
      target: ImageReference.unsafeParse("reg.io/ap:2"),
      credential: Option.none(),
      sourceCredential: Option.none(),
      tls: Option.none(),
      platform: Option.none(),
      emit: () => {}
    })
  ).pipe(
    Effect.flip,
    Effect.provide(
      Layer.provide(layerNearImages(engineNames), TestTransport.layer({ push: () => Effect.fail(missing) }))
    )
  )

describe("the advice on an image that is not there", () => {
  it("names the other tags of its repository, the nearest first and three at most", () => {
    assert.strictEqual(advice("app:1.4"), "Did you mean app:1.2 or app:1.3 or app:2? If not, build or pull it first.")
    assert.match(String(advice("app:33")), /^Did you mean app:3 or app:1\.2 or app:1\.3\?/)
  })

  it("names the images of a near repository", () => {
    assert.match(String(advice("ap:2")), /^Did you mean app:2 or app:1\.2 or app:1\.3\?/)
    assert.match(String(advice("aplin:3")), /^Did you mean alpine:3\?/)
  })

  it("names an image of the same last part in another registry", () => {
    assert.match(String(advice("worker:1")), /^Did you mean ghcr\.io\/acme\/worker:1\?/)
    assert.match(String(advice("ghcr.io/acme/api:1")), /^Did you mean localhost:5000\/api:latest\?/)
  })

  it("names none when none is near, and says when the engine has none at all", () => {
    assert.isUndefined(advice("postgres:17"))
    assert.match(Option.getOrThrow(adviceOn("app:1", [])), /^Build or pull it first\. This engine has no image at all/)
  })
})

describe("a transport of an engine", () => {
  it.effect("names the images that may have been meant", () =>
    Effect.gen(function* () {
      const error = yield* pushMissing(Effect.succeed(names))
      assert.strictEqual(
        error.message,
        "There is no image ap:2 in the engine at unix:///e.sock. Did you mean app:2 or app:1.2 or app:1.3? If not, build or pull it first."
      )
    })
  )

  it.effect("says what it knows when the engine does not tell its names", () =>
    Effect.gen(function* () {
      const failing = yield* pushMissing(Effect.fail("no list"))
      const hanging = yield* Effect.fork(pushMissing(Effect.never))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([failing.message, (yield* hanging).message], [missing.message, missing.message])
    })
  )

  it.effect("asks for names only when an image is missing", () =>
    Effect.gen(function* () {
      const asked = yield* Ref.make(0)
      const layer = layerNearImages(
        Effect.as(
          Ref.update(asked, (count) => count + 1),
          names
        )
      )
      yield* Effect.provide(
        PushTransport,
        Layer.provide(layer, TestTransport.layer({ push: () => Effect.fail(missing) }))
      )
      assert.strictEqual(yield* Ref.get(asked), 0)
    })
  )
})
