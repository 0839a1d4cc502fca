/**
 * Real engines, real registries and a token server on loopback, each a scoped resource in a temporary folder of its own.
 *
 * ```ts
 * const engine = yield* Stack.engine()
 * const open = yield* Stack.registry("open")
 * const tokens = yield* Stack.registry(yield* Stack.tokenServer({ lifetimeSeconds: 5 }))
 * yield* engine.kill
 * yield* engine.start
 * ```
 *
 * `SharedStack` keeps one of each in a folder that outlives the process. `GANTRY_STACK` names a folder with a short path
 * other than `/tmp`.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { env } from "node:process"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Engine from "./Engine.ts"
import { attempt } from "./internal/daemon.ts"
import { freePort } from "./internal/freePort.ts"
import * as Registry from "./Registry.ts"
import type { StackError } from "./StackError.ts"
import * as TokenServer from "./TokenServer.ts"

interface Startable {
  readonly start: Effect.Effect<void, StackError>
  readonly destroy: Effect.Effect<void, StackError>
}

// Destroyed also when the start fails or is interrupted: a daemon that came up too late would stay.
const started = <A extends Startable>(startable: A): Effect.Effect<A, StackError, Scope.Scope> =>
  Effect.zipRight(
    Effect.addFinalizer(() => Effect.orDie(startable.destroy)),
    Effect.as(startable.start, startable)
  )

/** In the system's own temporary folder whatever TMPDIR says: a unix socket's path has to stay short. */
const temporaryFolder = (name: string) => attempt(() => mkdtemp(join(env["GANTRY_STACK"] ?? "/tmp", `gantry-${name}-`)))

/** An engine of one's own; several may run at once. */
export const engine = (options?: Engine.EngineOptions): Effect.Effect<Engine.Engine, StackError, Scope.Scope> =>
  Effect.flatMap(temporaryFolder("engine"), (folder) => started(Engine.make(folder, options)))

/** A registry of one's own: `"open"`, `"htpasswd"`, or behind a token server. */
export const registry = (auth: Registry.RegistryAuth): Effect.Effect<Registry.Registry, StackError, Scope.Scope> =>
  Effect.flatMap(freePort, (port) => registryOn(port, auth))

/** As `registry`, at a port that others know. */
export const registryOn = (
  port: number,
  auth: Registry.RegistryAuth
): Effect.Effect<Registry.Registry, StackError, Scope.Scope> =>
  Effect.flatMap(temporaryFolder("registry"), (folder) => started(Registry.make(folder, { auth, port })))

/** A token server in this process. */
export const tokenServer = (
  options?: TokenServer.TokenServerOptions
): Effect.Effect<TokenServer.TokenServer, StackError, Scope.Scope> =>
  Effect.acquireRelease(temporaryFolder("tokens"), (folder) =>
    Effect.orDie(attempt(() => rm(folder, { recursive: true, force: true })))
  ).pipe(Effect.flatMap((folder) => TokenServer.serve(folder, options)))
