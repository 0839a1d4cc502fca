import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ContainerRegistry from "../../src/registry/ContainerRegistry.ts"
import * as RegistryCatalog from "../../src/registry/RegistryCatalog.ts"
import * as PushSupervisor from "../../src/runtime/PushSupervisor.ts"
import * as TestTransport from "../../src/testing/TestTransport.ts"
import { request } from "../support/supervisor.ts"

describe("what a push logs", () => {
  it.effect("carries the push's id and its registry, a hook's too", () =>
    Effect.gen(function* () {
      const logs: Array<unknown> = []
      const logger = Logger.make(({ annotations, message }) => {
        logs.push([String(message), Object.fromEntries(annotations)])
      })
      const layer = PushSupervisor.layer().pipe(
        Layer.provide(RegistryCatalog.layerSingle),
        Layer.provide(
          ContainerRegistry.layer({
            uri: "a.example.com",
            prepareImagePush: ({ repository }) => Effect.log(`prepared ${repository}`)
          })
        ),
        Layer.provide(
          TestTransport.layer({
            push: ({ target }) => Effect.as(Effect.log(`pushed ${target.repository}`), TestTransport.result())
          })
        )
      )
      const supervisor = Effect.flatMap(PushSupervisor.PushSupervisor, (supervisor) =>
        Effect.zipRight(
          supervisor.pushAll(["one", "two"].map((name) => request(`a.example.com/${name}:1`))),
          Effect.log("all pushed")
        )
      )
      yield* supervisor.pipe(Effect.provide(layer), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      const carried = (id: string) => ({ "gantry.push.id": id, "gantry.registry": "a.example.com" })
      assert.sameDeepMembers(logs, [
        ["prepared one", carried("push-1")],
        ["pushed one", carried("push-1")],
        ["prepared two", carried("push-2")],
        ["pushed two", carried("push-2")],
        ["all pushed", {}]
      ])
    })
  )
})
