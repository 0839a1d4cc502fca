/**
 * One engine, a token server and three registries in a folder that outlives the process that started them, found again
 * through `stack.json`. This is what `scripts/stack up` starts and what live tests reuse when it is up.
 */
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Engine from "./Engine.ts"
import * as Daemon from "./internal/daemon.ts"
import { freePort } from "./internal/freePort.ts"
import * as Http from "./internal/http.ts"
import * as LabUser from "./LabUser.ts"
import * as Registry from "./Registry.ts"
import { StackError } from "./StackError.ts"
import * as TokenServer from "./TokenServer.ts"

/** Where the stack lives unless told otherwise. */
export const defaultFolder = "/tmp/gantry-stack"

export interface Registries {
  readonly open: Registry.Registry
  readonly htpasswd: Registry.Registry
  readonly token: Registry.Registry
}

export interface Stack {
  readonly engine: Engine.Engine
  readonly registries: Registries
  readonly tokenServer: TokenServer.TokenServer
}

/** One member of a stack, for `status`. */
export interface MemberStatus {
  readonly name: string
  readonly address: string
  readonly pid: Option.Option<number>
  readonly log: string
}

const State = Schema.Struct({
  ports: Schema.Struct({
    tokenServer: Schema.Number,
    open: Schema.Number,
    htpasswd: Schema.Number,
    token: Schema.Number
  })
})

type Ports = (typeof State.Type)["ports"]

const stateFile = (folder: string) => join(folder, "stack.json")

const make = (folder: string, ports: Ports): Stack => {
  const tokenServer = TokenServer.at(join(folder, "tokens"), ports.tokenServer)
  const registry = (name: keyof Registries, auth: Registry.RegistryAuth) =>
    Registry.make(join(folder, name), { auth, port: ports[name] })
  return {
    engine: Engine.make(join(folder, "engine")),
    tokenServer,
    registries: {
      open: registry("open", "open"),
      htpasswd: registry("htpasswd", "htpasswd"),
      token: registry("token", tokenServer)
    }
  }
}

const registriesOf = (stack: Stack) => [stack.registries.open, stack.registries.htpasswd, stack.registries.token]

const tokenDaemon = (server: TokenServer.TokenServer): Daemon.Daemon => ({
  name: "token server",
  pidFile: join(server.folder, "tokens.pid"),
  mark: server.folder
})

const isServing = (server: TokenServer.TokenServer) =>
  Effect.zipWith(
    Daemon.pid(tokenDaemon(server)),
    Http.request({ host: "127.0.0.1", port: server.port, path: "/" }),
    (pid, answer) => Option.isSome(pid) && answer.status === 404
  ).pipe(Effect.orElseSucceed(() => false))

const tokenLog = (server: TokenServer.TokenServer) => join(server.folder, "tokens.log")

/** The token server is our own program, so it becomes a daemon by running `scripts/stack token-server`. */
const startTokenServer = (server: TokenServer.TokenServer) =>
  Effect.gen(function* () {
    if (yield* isServing(server)) {
      return
    }
    yield* Daemon.attempt(() => mkdir(server.folder, { recursive: true }))
    yield* Daemon.stop(tokenDaemon(server))
    const script = fileURLToPath(new URL("./main.ts", import.meta.url))
    // Its full path, because the bare name is looked up from the working directory.
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href
    yield* Daemon.start(tokenDaemon(server), {
      command: process.execPath,
      arguments: ["--import", tsx, script, "token-server", "--dir", server.folder, "--port", String(server.port)],
      stdout: tokenLog(server),
      stderr: tokenLog(server),
      isReady: isServing(server)
    })
  })

/** What a person or a shell script wants to know; only `ports` is read again. */
const describe = (folder: string, ports: Ports, stack: Stack) => ({
  ports,
  folder,
  engine: { socket: stack.engine.socket, host: stack.engine.host, log: stack.engine.log },
  tokenServer: { realm: stack.tokenServer.realm, log: tokenLog(stack.tokenServer) },
  registries: Object.fromEntries(
    Object.entries(stack.registries).map(([name, registry]: [string, Registry.Registry]) => [
      name,
      { host: registry.host, log: registry.log, accessLog: registry.accessLog }
    ])
  ),
  credentials: LabUser.all
})

const read = (folder: string): Effect.Effect<Option.Option<Ports>, StackError> =>
  Daemon.attempt(() => readFile(stateFile(folder), "utf8")).pipe(
    Effect.option,
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.succeedNone,
        onSome: (text) =>
          Schema.decodeUnknown(Schema.parseJson(State))(text).pipe(
            Effect.map((state) => Option.some(state.ports)),
            Effect.mapError(() => new StackError({ message: `${stateFile(folder)} is not a stack's; remove it` }))
          )
      })
    )
  )

const choosePorts = Effect.all({ tokenServer: freePort, open: freePort, htpasswd: freePort, token: freePort })

/** One `up` or `down` in a folder at a time: a second one waits for the first. */
const exclusively =
  (folder: string) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StackError> => {
    const lock: Daemon.Daemon = { name: "scripts/stack", pidFile: `${folder}.lock`, mark: "stack" }
    const ownFile = `${folder}.lock.${process.pid}`
    const remove = (file: string) => Daemon.attempt(() => rm(file, { force: true }))
    // A link appears together with its content, so nobody reads a lock without a pid and takes it for a stale one.
    const take = Effect.gen(function* () {
      if (Option.isNone(yield* Daemon.pid(lock))) {
        yield* remove(lock.pidFile)
      }
      yield* Daemon.attempt(() => writeFile(ownFile, `${process.pid}\n`))
      return yield* Effect.isSuccess(Daemon.attempt(() => link(ownFile, lock.pidFile)))
    }).pipe(
      Effect.ensuring(Effect.ignore(remove(ownFile))),
      Effect.orElseSucceed(() => false)
    )
    return Effect.acquireUseRelease(
      Daemon.until(take, {
        within: "2 minutes",
        otherwise: Effect.succeed(`${lock.pidFile} is held by another scripts/stack`)
      }),
      () => effect,
      () => Effect.orDie(remove(lock.pidFile))
    )
  }

const startAll = (stack: Stack) =>
  Effect.zipRight(
    startTokenServer(stack.tokenServer),
    Effect.all([stack.engine.start, ...registriesOf(stack).map((registry) => registry.start)], {
      concurrency: "unbounded",
      discard: true
    })
  )

const stopAll = (stack: Stack) =>
  Effect.all(
    [
      stack.engine.stop,
      ...registriesOf(stack).map((registry) => registry.stop),
      Daemon.stop(tokenDaemon(stack.tokenServer))
    ],
    { concurrency: "unbounded", discard: true }
  )

/** Brings the stack up in a folder; one that is up stays as it is, and what is missing from it is started again. */
export const up = (folder: string): Effect.Effect<Stack, StackError> =>
  Effect.gen(function* () {
    yield* Daemon.attempt(() => mkdir(folder, { recursive: true }))
    const ports = yield* Effect.flatMap(
      read(folder),
      Option.match({ onSome: Effect.succeed, onNone: () => choosePorts })
    )
    const stack = make(folder, ports)
    yield* Daemon.attempt(() => writeFile(stateFile(folder), JSON.stringify(describe(folder, ports, stack), null, 2)))
    yield* startAll(stack)
    return stack
  }).pipe(exclusively(folder))

/** Who is who in the folder's stack and which of them live; empty when there is none. */
export const status = (folder: string): Effect.Effect<ReadonlyArray<MemberStatus>, StackError> =>
  Effect.flatMap(
    read(folder),
    Option.match({
      onNone: () => Effect.succeed<ReadonlyArray<MemberStatus>>([]),
      onSome: (ports) => {
        const { engine, registries, tokenServer } = make(folder, ports)
        const member = (name: string, address: string, log: string, pid: Effect.Effect<Option.Option<number>>) =>
          Effect.map(pid, (pid) => ({ name, address, log, pid }))
        return Effect.all([
          member("engine", engine.host, engine.log, engine.pid),
          member("token server", tokenServer.realm, tokenLog(tokenServer), Daemon.pid(tokenDaemon(tokenServer))),
          ...Object.entries(registries).map(([name, registry]: [string, Registry.Registry]) =>
            member(`registry (${name})`, registry.host, registry.log, registry.pid)
          )
        ])
      }
    })
  )

/** The folder's stack if all of it runs. */
export const attach = (folder: string): Effect.Effect<Option.Option<Stack>, StackError> =>
  Effect.gen(function* () {
    const members = yield* status(folder)
    const ports = yield* read(folder)
    return members.every((member) => Option.isSome(member.pid))
      ? Option.map(ports, (ports) => make(folder, ports))
      : Option.none()
  })

/** Stops what `up` started and removes the folder. */
export const down = (folder: string): Effect.Effect<void, StackError> =>
  Effect.gen(function* () {
    const ports = yield* read(folder)
    if (Option.isNone(ports)) {
      return
    }
    yield* stopAll(make(folder, ports.value))
    yield* Daemon.attempt(() => rm(folder, { recursive: true, force: true }))
  }).pipe(exclusively(folder))
