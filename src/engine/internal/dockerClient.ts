import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import Dockerode from "dockerode"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { EngineTls } from "../DockerEngine.ts"
import type { EngineHost } from "./engineHost.ts"

/**
 * docker-modem inspects every request, with the agent and all its sockets in it: 7 ms a call with one socket, 155 ms with
 * 64 (reference/engine.md section 9), unless the agent says itself how it looks.
 */
class HttpAgent extends NodeHttp.Agent {
  [Inspectable.NodeInspectSymbol](): string {
    return "<agent>"
  }
}

/** The same over TLS. Certificates and their key are the agent's, so that docker-modem never has them to print. */
class HttpsAgent extends NodeHttps.Agent {
  [Inspectable.NodeInspectSymbol](): string {
    return "<agent>"
  }
}

const makeAgent = (tls: EngineTls | undefined): NodeHttp.Agent =>
  tls === undefined
    ? new HttpAgent({ keepAlive: true })
    : new HttpsAgent({
        keepAlive: true,
        ca: tls.ca,
        cert: tls.certificate,
        key: tls.key === undefined ? undefined : Redacted.value(tls.key)
      })

/**
 * docker-modem reads DOCKER_HOST and its certificates even when it is told where the engine is, and throws when they are
 * bad. Its constructor is synchronous, so nobody sees the variable missing.
 */
const withoutDockerHost = <A>(construct: () => A): A => {
  const host = process.env["DOCKER_HOST"]
  if (host === undefined) return construct()
  delete process.env["DOCKER_HOST"]
  try {
    return construct()
  } finally {
    process.env["DOCKER_HOST"] = host
  }
}

const connection = (host: EngineHost, tls: EngineTls | undefined): Dockerode.DockerOptions =>
  host._tag === "Socket"
    ? { socketPath: host.socketPath, protocol: "http" }
    : { host: host.hostname, port: host.port, protocol: tls === undefined ? "http" : "https" }

/** A dockerode client whose connections end with the scope: docker-modem has no `close`, its agent does. */
export const make = (host: EngineHost, tls: EngineTls | undefined): Effect.Effect<Dockerode, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => makeAgent(host._tag === "Tcp" ? tls : undefined)),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => {
      const options = { ...connection(host, tls), agent }
      return withoutDockerHost(() => new Dockerode(options))
    }
  )
