/**
 * A real `dockerd` on a socket and in a folder of its own, beside whatever engine the machine has.
 */
import { execFile } from "node:child_process"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as EngineApi from "./EngineApi.ts"
import * as Daemon from "./internal/daemon.ts"
import { StackError } from "./StackError.ts"

export interface EngineOptions {
  /** More of dockerd's own arguments, for example `-H tcp://127.0.0.1:PORT`. */
  readonly arguments?: ReadonlyArray<string> | undefined
}

export interface Engine {
  readonly folder: string
  /** Path of the unix socket. */
  readonly socket: string
  /** `unix:///…`, what goes into DOCKER_HOST. */
  readonly host: string
  readonly log: string
  readonly pid: Effect.Effect<Option.Option<number>>
  readonly api: EngineApi.EngineApi
  /** Starts the engine, also after it was killed; does nothing when it runs. */
  readonly start: Effect.Effect<void, StackError>
  /** Ends the engine politely: it goes on for up to a second, then removes its socket. */
  readonly stop: Effect.Effect<void, StackError>
  /** `kill -9`: the socket file remains and refuses connections; `start` and `stop` clear what is left. */
  readonly kill: Effect.Effect<void, StackError>
  /** Stops the engine and removes its folder. */
  readonly destroy: Effect.Effect<void, StackError>
}

/** The kernel's limit for a unix socket's path, its final NUL included. */
const socketPathLimit = 108

const unmountBelow = (folder: string): Effect.Effect<void, StackError> =>
  Daemon.attempt(async () => {
    const mounts = (await readFile("/proc/self/mounts", "utf8"))
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((point) => point.startsWith(`${folder}/`))
    for (const point of mounts.reverse()) {
      await promisify(execFile)("umount", ["--lazy", point])
    }
  })

/**
 * The engine whose files are in `folder`, running or not.
 *
 * @param folder absolute, and short: the socket's path has to stay under 108 bytes
 */
export const make = (folder: string, options: EngineOptions = {}): Engine => {
  const socket = join(folder, "docker.sock")
  const execRoot = join(folder, "exec")
  const dataRoot = join(folder, "data")
  const configFile = join(folder, "daemon.json")
  const log = join(folder, "dockerd.log")
  // Not the daemon's own pid file below: dockerd takes a file with its own pid for another engine that runs.
  const enginePidFile = join(folder, "pid")
  const daemon: Daemon.Daemon = { name: "dockerd", pidFile: join(folder, "dockerd.pid"), mark: dataRoot }
  const containerd: Daemon.Daemon = {
    name: "containerd",
    pidFile: join(execRoot, "containerd", "containerd.pid"),
    mark: execRoot
  }
  const api = EngineApi.make(socket)

  // A killed engine leaves its mounts, its exec folder and, where the kernel does not end it with its parent, its
  // containerd, for which the next engine waits until it times out (issue 2).
  const clearRemains = Effect.all(
    [
      Daemon.stop(containerd),
      unmountBelow(folder),
      Daemon.attempt(() => rm(execRoot, { recursive: true, force: true })),
      Daemon.attempt(() => rm(socket, { force: true })),
      Daemon.attempt(() => rm(enginePidFile, { force: true }))
    ],
    { discard: true }
  )

  const launch = Effect.gen(function* () {
    if (Buffer.byteLength(socket) >= socketPathLimit) {
      return yield* new StackError({ message: `${socket} is too long for a unix socket: choose a shorter folder` })
    }
    yield* Daemon.attempt(() => mkdir(folder, { recursive: true }))
    yield* Daemon.stop(daemon)
    yield* clearRemains
    // An empty configuration, or dockerd reads the machine's /etc/docker/daemon.json.
    yield* Daemon.attempt(() => writeFile(configFile, "{}"))
    yield* Daemon.start(daemon, {
      command: "dockerd",
      arguments: [
        `--config-file=${configFile}`,
        `--data-root=${dataRoot}`,
        `--exec-root=${execRoot}`,
        `--host=unix://${socket}`,
        `--pidfile=${enginePidFile}`,
        "--bridge=none",
        "--iptables=false",
        "--ip-masq=false",
        "--ip-forward=false",
        ...(options.arguments ?? [])
      ],
      stdout: log,
      stderr: log,
      isReady: api.ping
    })
  })

  const stop = Effect.zipRight(Daemon.stop(daemon), clearRemains)

  return {
    folder,
    socket,
    host: `unix://${socket}`,
    log,
    api,
    pid: Daemon.pid(daemon),
    start: Effect.flatMap(api.ping, (running) => (running ? Effect.void : launch)),
    stop,
    kill: Daemon.end(daemon, "SIGKILL"),
    destroy: Effect.zipRight(
      stop,
      Daemon.attempt(() => rm(folder, { recursive: true, force: true }))
    )
  }
}
