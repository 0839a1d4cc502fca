/**
 * Which engine is meant: that of a context, of an address, or the machine's own, decided as the docker command decides it.
 *
 * Source: https://docs.docker.com/engine/manage-resources/contexts/ and https://github.com/docker/cli/tree/v28.2.2/cli/context
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as DockerConfig from "../credential/DockerConfig.ts"
import type { EngineTls } from "./DockerEngine.ts"
import { EngineContextInvalid } from "./EngineError.ts"
import * as Files from "./internal/dockerContextFiles.ts"
import * as EngineHost from "./internal/engineHost.ts"

/**
 * An engine's address and how to connect to it; `DockerEngine.layer` takes it as its options.
 *
 * - `name`: the context's, `default` for an engine that no context file describes
 * - `host`: `unix:///path`, `npipe:////./pipe/name`, `tcp://host:port` or `ssh://[user@]host[:port][/path]`
 * - `tls`: present when a `tcp://` connection is to be encrypted
 * - `origin`: what chose it, such as `DOCKER_HOST` or `context "prod" (currentContext in /home/me/.docker/config.json)`
 *
 * @since 0.1.0
 * @category models
 */
export interface DockerContext {
  readonly name: string
  readonly host: string
  readonly tls: EngineTls | undefined
  readonly origin: string
}

/**
 * What somebody chose over the environment's choice: a context by its name or an engine by its address, and not both.
 * `origin` is what messages call the place where it was chosen.
 *
 * @since 0.1.0
 * @category models
 */
export interface Choice {
  readonly context?: string | undefined
  readonly host?: string | undefined
  readonly origin?: string | undefined
}

const variable = (name: string) => Config.option(Config.nonEmptyString(name))

const environment = Config.all({
  host: variable("DOCKER_HOST"),
  context: variable("DOCKER_CONTEXT"),
  verify: variable("DOCKER_TLS_VERIFY"),
  tls: variable("DOCKER_TLS"),
  certificates: variable("DOCKER_CERT_PATH"),
  folder: DockerConfig.folder
})

type Environment = Config.Config.Success<typeof environment>

/** The name of a context, and what named it. */
interface NamedContext {
  readonly name: string
  readonly origin: string
}

/** An address, the default's when there is none, and what gave it. */
interface Address {
  readonly host: Option.Option<string>
  readonly origin: string
}

/** The name that means the engine of DOCKER_HOST, else the machine's own; no file describes it. */
const DEFAULT = "default"

const namedContext = (choice: Choice, { context, folder, host }: Environment) =>
  Effect.gen(function* () {
    if (choice.context !== undefined) {
      return Option.some({ name: choice.context, origin: choice.origin ?? "the given context" })
    }
    if (choice.host !== undefined || Option.isSome(host)) return Option.none()
    if (Option.isSome(context)) return Option.some({ name: context.value, origin: "DOCKER_CONTEXT" })
    const file = `${folder}/config.json`
    return Option.map(yield* Files.readCurrentContext(file), (name) => ({ name, origin: `currentContext in ${file}` }))
  }).pipe(Effect.map(Option.filter(({ name }: NamedContext) => name !== DEFAULT)))

const addressOf = (choice: Choice, { host }: Environment): Address => {
  if (choice.host !== undefined) {
    return { host: Option.some(choice.host), origin: choice.origin ?? "the given host" }
  }
  return { host, origin: Option.isSome(host) ? "DOCKER_HOST" : "the default" }
}

// The docker command takes 2375 for the port of an address without one, also with TLS.
const readHost = (value: string, origin: string) => EngineHost.parse({ value, origin, secure: false })

const fromContext = Effect.fnUntraced(function* ({ name, origin: chosenBy }: NamedContext, folder: string) {
  const named = { origin: chosenBy, value: name }
  const endpoint = yield* Files.readContext(folder, name, named)
  const origin = `context "${name}" (${chosenBy})`
  const host = yield* readHost(Option.getOrElse(endpoint.host, EngineHost.defaultHost), origin)
  if (host._tag !== "Tcp") return { name, host: host.endpoint, tls: undefined, origin }
  const certificates = yield* Files.readCertificates(endpoint.tlsFolder, { origin, value: host.endpoint })
  const isSecure = endpoint.skipVerify || Option.isSome(certificates)
  const tls = { ...Option.getOrElse(certificates, () => ({})), skipVerify: endpoint.skipVerify }
  return { name, host: host.endpoint, tls: isSecure ? tls : undefined, origin }
})

const LOCAL_TLS = "tcp://localhost:2376"

const fromAddress = Effect.fnUntraced(function* (address: Address, { certificates, folder, tls, verify }: Environment) {
  const isSecure = Option.isSome(verify) || Option.isSome(tls)
  const switchedOnBy = Option.isSome(verify) ? "DOCKER_TLS_VERIFY" : "DOCKER_TLS"
  const isLocalTls = isSecure && Option.isNone(address.host)
  const origin = isLocalTls ? switchedOnBy : address.origin
  const value = Option.getOrElse(address.host, () => (isLocalTls ? LOCAL_TLS : EngineHost.defaultHost()))
  const host = yield* readHost(value, origin)
  if (!isSecure || host._tag !== "Tcp") return { name: DEFAULT, host: host.endpoint, tls: undefined, origin }
  const named = { origin, value: host.endpoint }
  const tlsFolder = Option.getOrElse(certificates, () => folder)
  const found = yield* Files.readCertificates(tlsFolder, named)
  if (Option.isNone(found) || found.value.ca === undefined) {
    const detail = `${switchedOnBy} is set and there is no ca.pem in ${tlsFolder}: name its folder with DOCKER_CERT_PATH.`
    return yield* new EngineContextInvalid({ ...named, detail })
  }
  return {
    name: DEFAULT,
    host: host.endpoint,
    tls: { ...found.value, skipVerify: Option.isNone(verify) },
    origin
  }
})

/**
 * Finds the engine that is meant. The first that is given decides:
 *
 * 1. `context` of the choice: a context by its name (`--context`)
 * 2. `host` of the choice: an address (`--host`)
 * 3. `DOCKER_HOST`: an address
 * 4. `DOCKER_CONTEXT`: a context
 * 5. `currentContext` in Docker's `config.json`: a context
 * 6. the default: the platform's own socket, or `tcp://localhost:2376` when `DOCKER_TLS_VERIFY` or `DOCKER_TLS` is set
 *
 * A context brings its certificates along; an address takes those in `DOCKER_CERT_PATH` (else in Docker's folder) when
 * `DOCKER_TLS_VERIFY` has any value, or, unverified, `DOCKER_TLS`. The context `default` is what 3 and 6 say. Where the
 * docker command warns of a malformed `config.json` and uses another engine, this fails.
 *
 * @param choice what goes before the environment
 * @returns the engine; `EngineContextInvalid` when context and host are both given, when the context does not exist, and
 * when a file or an address can not be used
 * @since 0.1.0
 * @category resolution
 * @example
 * import * as DockerContext from "gantry/DockerContext"
 * import * as DockerEngine from "gantry/DockerEngine"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const Prod = Layer.unwrapEffect(Effect.map(DockerContext.resolve({ context: "prod" }), DockerEngine.layer))
 */
export const resolve: (choice?: Choice) => Effect.Effect<DockerContext, EngineContextInvalid | ConfigError> = Effect.fn(
  "DockerContext.resolve"
)(function* (choice: Choice = {}) {
  if (choice.context !== undefined && choice.host !== undefined) {
    return yield* new EngineContextInvalid({
      origin: choice.origin ?? "the given choice",
      value: "",
      detail: `The context "${choice.context}" and an address are given at once. Leave one of them out.`
    })
  }
  const known = yield* environment
  return yield* Option.match(yield* namedContext(choice, known), {
    onSome: (named) => fromContext(named, known.folder),
    onNone: () => fromAddress(addressOf(choice, known), known)
  })
})
