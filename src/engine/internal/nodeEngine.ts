import * as NodeFs from "node:fs/promises"
import * as NodePath from "node:path"
import type Dockerode from "dockerode"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { EngineTls, Options, Service } from "../DockerEngine.ts"
import { EngineContextInvalid } from "../EngineError.ts"
import * as DockerClient from "./dockerClient.ts"
import { parse } from "./engineHost.ts"
import * as EngineService from "./engineService.ts"

const defaultHost = () =>
  process.platform === "win32" ? "npipe:////./pipe/docker_engine" : "unix:///var/run/docker.sock"

export const make = (options: Options): Effect.Effect<Service, EngineContextInvalid, Scope.Scope> =>
  Effect.gen(function* () {
    const origin = options.origin ?? (options.host === undefined ? "the default" : "the given options")
    const value = options.host ?? defaultHost()
    const host = yield* parse({ value, origin, secure: options.tls !== undefined })
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
  return EngineService.make(client, { endpoint, origin: "the given client" })
}

/** A file of the folder; absent is `None`, unreadable a failure. */
const readPem = (folder: string, name: string): Effect.Effect<Option.Option<string>, EngineContextInvalid> =>
  Effect.tryPromise({
    try: () => NodeFs.readFile(NodePath.join(folder, name), "utf8"),
    catch: (error) => (Predicate.hasProperty(error, "code") ? String(error.code) : "unknown")
  }).pipe(
    Effect.asSome,
    Effect.catchAll((code) =>
      code === "ENOENT"
        ? Effect.succeedNone
        : Effect.fail(
            new EngineContextInvalid({
              origin: "DOCKER_CERT_PATH",
              value: folder,
              detail: `${name} can not be read (${code}).`
            })
          )
    )
  )

/** `ca.pem`, `cert.pem` and `key.pem` of a folder, as the docker command reads them: the client's own two may be absent. */
export const readCertificates = (folder: string): Effect.Effect<EngineTls, EngineContextInvalid> =>
  Effect.gen(function* () {
    const [ca, certificate, key] = yield* Effect.all([
      readPem(folder, "ca.pem"),
      readPem(folder, "cert.pem"),
      readPem(folder, "key.pem")
    ])
    if (Option.isNone(ca)) {
      return yield* new EngineContextInvalid({
        origin: "DOCKER_CERT_PATH",
        value: folder,
        detail: "DOCKER_TLS_VERIFY is set and there is no ca.pem in this folder."
      })
    }
    return {
      ca: ca.value,
      certificate: Option.getOrUndefined(certificate),
      key: Option.getOrUndefined(Option.map(key, (text) => Redacted.make(text)))
    }
  })
