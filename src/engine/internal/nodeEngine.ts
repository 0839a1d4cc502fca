import type Dockerode from "dockerode"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Options, Service } from "../DockerEngine.ts"
import { EngineContextInvalid } from "../EngineError.ts"
import * as DockerClient from "./dockerClient.ts"
import { defaultHost, parse } from "./engineHost.ts"
import * as EngineService from "./engineService.ts"
import * as EngineTls from "./engineTls.ts"

export const make = (options: Options): Effect.Effect<Service, EngineContextInvalid, Scope.Scope> =>
  Effect.gen(function* () {
    const origin = options.origin ?? (options.host === undefined ? "the default" : "the given options")
    const value = options.host ?? defaultHost()
    const host = yield* parse({ value, origin, secure: options.tls !== undefined })
    yield* Either.mapLeft(
      EngineTls.check(options.tls ?? {}),
      (detail) => new EngineContextInvalid({ origin, value: host.endpoint, detail })
    )
    const client = yield* DockerClient.make(host, options.tls)
    return EngineService.make(client, { endpoint: host.endpoint, origin })
  })

const field = (modem: object, name: string): string | undefined => {
  const value: unknown = Reflect.get(modem, name)
  return Predicate.isString(value) || Predicate.isNumber(value) ? String(value) : undefined
}

export const fromClient = (client: Dockerode): Service => {
  const host = field(client.modem, "host")
  const socket = field(client.modem, "socketPath") ?? "/var/run/docker.sock"
  const endpoint = host === undefined ? `unix://${socket}` : `tcp://${host}:${field(client.modem, "port")}`
  return EngineService.make(
    { modem: client.modem, dockerode: Effect.succeed(client) },
    { endpoint, origin: "the given client" }
  )
}
