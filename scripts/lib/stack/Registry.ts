/**
 * A real `docker-registry` on loopback: open, with an htpasswd file, or with tokens; its access log tells what it was
 * asked.
 */
import { spawn } from "node:child_process"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Daemon from "./internal/daemon.ts"
import * as Http from "./internal/http.ts"
import * as LabUser from "./LabUser.ts"
import { StackError } from "./StackError.ts"
import type { TokenServer } from "./TokenServer.ts"

/** Who may do what at a registry: anybody, `LabUser.all` by password, or whom a token server lets in. */
export type RegistryAuth = "open" | "htpasswd" | TokenServer

/** One line of the access log. */
export interface AccessLogEntry {
  readonly method: string
  /** Without the query: upload URLs carry state in it. */
  readonly path: string
  readonly status: number
  /** Bytes of the response's body. */
  readonly bytes: number
  readonly userAgent: string
}

export interface Registry {
  readonly folder: string
  readonly port: number
  /** `127.0.0.1:PORT`, the first part of an image reference. */
  readonly host: string
  /** Why requests were refused. */
  readonly log: string
  /** The file behind `requests`. */
  readonly accessLog: string
  readonly pid: Effect.Effect<Option.Option<number>>
  /** Whom it lets push; none for an open registry. */
  readonly credentials: Option.Option<LabUser.LabUser>
  /** Every request that was answered so far, oldest first; the stack's own requests are not among them. */
  readonly requests: Effect.Effect<ReadonlyArray<AccessLogEntry>, StackError>
  /** Runs an effect and tells which requests the registry answered meanwhile. */
  readonly observe: <A, E, R>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<readonly [A, ReadonlyArray<AccessLogEntry>], E | StackError, R>
  /** Starts it, also after it was killed, on the same port and with the data it had; does nothing when it runs. */
  readonly start: Effect.Effect<void, StackError>
  readonly stop: Effect.Effect<void, StackError>
  /** `kill -9`. */
  readonly kill: Effect.Effect<void, StackError>
  /** Stops the registry and removes its folder. */
  readonly destroy: Effect.Effect<void, StackError>
}

const ownUserAgent = "gantry-stack"

const accessLine = /"([A-Z]+) ([^ ?"]*)[^ "]* HTTP\/[\d.]+" (\d+) (\d+) "[^"]*" "([^"]*)"$/

const parseAccessLog = (text: string): ReadonlyArray<AccessLogEntry> =>
  text.split("\n").flatMap((line) => {
    const match = accessLine.exec(line)
    if (match === null) {
      return []
    }
    const [, method = "", path = "", status, bytes, userAgent = ""] = match
    return [{ method, path, status: Number(status), bytes: Number(bytes), userAgent }]
  })

/** bcrypt is the only form that docker-registry reads; the password goes by stdin, not by argv. */
const htpasswdLine = (user: LabUser.LabUser): Effect.Effect<string, StackError> =>
  Effect.async((resume) => {
    const child = spawn("htpasswd", ["-niB", user.username], { stdio: ["pipe", "pipe", "ignore"] })
    let line = ""
    child.stdout.on("data", (chunk) => {
      line += chunk
    })
    child.on("error", (error) => resume(Effect.fail(new StackError({ message: error.message }))))
    child.on("close", (code) =>
      resume(code === 0 ? Effect.succeed(line.trim()) : new StackError({ message: `htpasswd: exit code ${code}` }))
    )
    child.stdin.end(user.password)
  })

/** The registry whose files are in `folder`, running or not. */
export const make = (folder: string, options: { readonly port: number; readonly auth: RegistryAuth }): Registry => {
  const { auth, port } = options
  const configFile = join(folder, "registry.json")
  const htpasswdFile = join(folder, "htpasswd")
  const accessLog = join(folder, "access.log")
  const log = join(folder, "registry.log")
  const daemon: Daemon.Daemon = {
    name: "docker-registry",
    pidFile: join(folder, "registry.pid"),
    mark: configFile
  }

  const authConfig = () => {
    switch (auth) {
      case "open":
        return {}
      case "htpasswd":
        return { auth: { htpasswd: { realm: "gantry-stack", path: htpasswdFile } } }
      default: {
        const { certificate, issuer, realm, service } = auth
        return { auth: { token: { realm, service, issuer, rootcertbundle: certificate } } }
      }
    }
  }

  const config = {
    version: "0.1",
    log: { level: "info", formatter: "text" },
    storage: {
      filesystem: { rootdirectory: join(folder, "data") },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } }
    },
    // One secret over restarts, or an upload that began before a restart can not go on after it.
    http: { addr: `127.0.0.1:${port}`, secret: "gantry-stack" },
    ...authConfig()
  }

  const ping = (mark: string) =>
    Http.request({ host: "127.0.0.1", port, path: "/v2/", headers: { "user-agent": `${ownUserAgent}/${mark}` } })

  // The process as well as the port: another one may have taken the port of a registry that is down.
  const isRunning = Effect.zipWith(
    Daemon.pid(daemon),
    ping("health"),
    (pid, answer) => Option.isSome(pid) && (answer.status === 200 || answer.status === 401)
  ).pipe(Effect.orElseSucceed(() => false))

  const launch = Effect.gen(function* () {
    yield* Daemon.attempt(() => mkdir(folder, { recursive: true }))
    yield* Daemon.stop(daemon)
    if (auth === "htpasswd") {
      const lines = yield* Effect.forEach(LabUser.all, htpasswdLine)
      yield* Daemon.attempt(() => writeFile(htpasswdFile, `${lines.join("\n")}\n`))
    }
    // JSON is YAML.
    yield* Daemon.attempt(() => writeFile(configFile, JSON.stringify(config, null, 2)))
    yield* Daemon.start(daemon, {
      command: "docker-registry",
      arguments: ["serve", configFile],
      stdout: accessLog,
      stderr: log,
      isReady: isRunning
    })
  })

  const readLog = Effect.map(
    Daemon.attempt(() => readFile(accessLog, "utf8")),
    parseAccessLog
  )

  // A line is written when its request is over, so the log may lag behind an answer. A request of our own comes after
  // all that were answered before it, and once its line is there, so are theirs.
  const settle = Effect.gen(function* () {
    if (!(yield* isRunning)) {
      return
    }
    const mark = crypto.randomUUID()
    yield* ping(mark)
    yield* Daemon.until(
      readLog.pipe(
        Effect.map((entries) => entries.some((entry) => entry.userAgent.endsWith(mark))),
        Effect.orElseSucceed(() => false)
      ),
      { within: "5 seconds", otherwise: Effect.succeed(`${accessLog} does not show a request that was answered`) }
    )
  })

  const requests = Effect.zipRight(
    settle,
    Effect.map(readLog, (entries) => entries.filter((entry) => !entry.userAgent.startsWith(ownUserAgent)))
  )

  const stop = Daemon.stop(daemon)

  return {
    folder,
    port,
    host: `127.0.0.1:${port}`,
    log,
    accessLog,
    credentials: auth === "open" ? Option.none() : Option.some(LabUser.dev),
    requests,
    observe: (effect) =>
      Effect.gen(function* () {
        const before = yield* requests
        const result = yield* effect
        return [result, (yield* requests).slice(before.length)] as const
      }),
    pid: Daemon.pid(daemon),
    start: Effect.flatMap(isRunning, (running) => (running ? Effect.void : launch)),
    stop,
    kill: Daemon.end(daemon, "SIGKILL"),
    destroy: Effect.zipRight(
      stop,
      Daemon.attempt(() => rm(folder, { recursive: true, force: true }))
    )
  }
}
