import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import type { Duplex } from "node:stream"
import Modem from "docker-modem"
import type Dockerode from "dockerode"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { EngineTls } from "../DockerEngine.ts"
import type { EngineHost } from "./engineHost.ts"
import { make as makeSshConnections, type SshConnections } from "./sshConnection.ts"

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

/** The same whose connections are processes of ssh. */
class SshAgent extends HttpAgent {
  readonly #connections: SshConnections

  constructor(connections: SshConnections) {
    super({ keepAlive: true })
    this.#connections = connections
  }

  override createConnection(): Duplex {
    return this.#connections.open()
  }
}

const tlsAgent = (tls: EngineTls): NodeHttp.Agent =>
  new HttpsAgent({
    keepAlive: true,
    ca: tls.ca,
    cert: tls.certificate,
    key: tls.key === undefined ? undefined : Redacted.value(tls.key),
    rejectUnauthorized: tls.skipVerify !== true
  })

const makeAgent = (host: EngineHost, tls: EngineTls | undefined): Effect.Effect<NodeHttp.Agent, never, Scope.Scope> => {
  switch (host._tag) {
    case "Socket":
      return Effect.sync(() => new HttpAgent({ keepAlive: true }))
    case "Tcp":
      return Effect.sync(() => (tls === undefined ? new HttpAgent({ keepAlive: true }) : tlsAgent(tls)))
    case "Ssh":
      return Effect.map(makeSshConnections(host.address), (connections) => new SshAgent(connections))
  }
}

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

/** What dockerode and its modem both take. */
const connection = (host: EngineHost, tls: EngineTls | undefined): Dockerode.DockerOptions => {
  switch (host._tag) {
    case "Socket":
      return { socketPath: host.socketPath, protocol: "http" }
    case "Tcp":
      return { host: host.hostname, port: host.port, protocol: tls === undefined ? "http" : "https" }
    case "Ssh":
      // The connection is made already: this is only the Host header, the docker command's own.
      return { host: "docker.example.com", port: 80, protocol: "http" }
  }
}

/** A dockerode client, and the part of it that speaks HTTP. */
export interface EngineClient {
  readonly modem: Modem
  readonly dockerode: Effect.Effect<Dockerode>
}

/**
 * A client whose connections end with the scope: docker-modem has no `close`, its agent does. All of dockerode takes four
 * times as long to load as its modem, for it brings gRPC: only who borrows it waits for that.
 */
export const make = (host: EngineHost, tls: EngineTls | undefined): Effect.Effect<EngineClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const agent = yield* Effect.acquireRelease(makeAgent(host, tls), (agent) => Effect.sync(() => agent.destroy()))
    const options = { ...connection(host, tls), agent }
    const load = Effect.map(
      Effect.promise(() => import("dockerode")),
      ({ default: Client }) => withoutDockerHost(() => new Client(options))
    )
    return { modem: withoutDockerHost(() => new Modem(options)), dockerode: yield* Effect.cached(load) }
  })
