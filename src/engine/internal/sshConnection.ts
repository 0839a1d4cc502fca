import * as ChildProcess from "node:child_process"
import { Socket } from "node:net"
import { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { type SshAddress, toArguments } from "./sshAddress.ts"
import { SshFailure } from "./sshFailure.ts"

const STDERR_LIMIT = 16 * 1024

// ssh leads a session of its own, as the docker command's does: Ctrl-C is not its, and its ProxyCommand ends with it.
const ownGroup = process.platform !== "win32"

const signal = (child: ChildProcess.ChildProcess, name: NodeJS.Signals): void => {
  try {
    if (ownGroup && child.pid !== undefined) process.kill(-child.pid, name)
  } catch {
    // The group has ended already.
  }
  child.kill(name)
}

const isGone = (child: ChildProcess.ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null

/** The standard streams of an ssh as one connection; destroying it ends the ssh. */
class SshConnection extends Duplex {
  readonly #child: ChildProcess.ChildProcess
  #hasAnswered = false

  constructor(child: ChildProcess.ChildProcess) {
    super()
    this.#child = child
    let stderr = ""
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-STDERR_LIMIT)
    })
    child.stdout?.on("data", (chunk: Buffer) => {
      this.#hasAnswered = true
      if (!this.push(chunk)) child.stdout?.pause()
    })
    this.on("end", () => this.destroy())
    // An ssh that ends breaks the pipe; what matters is how it ended.
    child.stdin?.on("error", () => {})
    child.on("error", (error: NodeJS.ErrnoException) =>
      this.destroy(new SshFailure({ status: error.code ?? error.name, stderr }))
    )
    child.on("close", (code, name) => {
      if (this.#hasAnswered) this.push(null)
      else this.destroy(new SshFailure({ status: code ?? name ?? "", stderr }))
    })
  }

  override _read(): void {
    this.#child.stdout?.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: () => void): void {
    this.#child.stdin?.write(chunk, () => written())
  }

  override _final(ended: () => void): void {
    this.#child.stdin?.end()
    ended()
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    if (!isGone(this.#child)) signal(this.#child, "SIGTERM")
    destroyed(error)
  }

  // What node:http calls of a socket besides: https://github.com/nodejs/node/blob/v20.19.0/lib/_http_agent.js
  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    for (const held of handlesOf(this.#child)) held.ref()
    return this
  }

  /** An idle connection is no reason for a program not to end. */
  unref(): this {
    for (const held of handlesOf(this.#child)) held.unref()
    return this
  }
}

const handlesOf = (child: ChildProcess.ChildProcess) => [
  child,
  ...[child.stdin, child.stdout, child.stderr].filter((stream) => stream instanceof Socket)
]

/** Connections to one engine over ssh, each a process. */
export interface SshConnections {
  readonly open: () => Duplex
}

const gone = (child: ChildProcess.ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (isGone(child)) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

const patience = "2 seconds"

/** Ends a process, and waits until it has. */
const end = (child: ChildProcess.ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (isGone(child)) return Effect.void
    signal(child, "SIGTERM")
    const killed = Effect.zipRight(
      Effect.sync(() => signal(child, "SIGKILL")),
      gone(child)
    )
    // A scope's finalizers can not be interrupted, and a timeout interrupts.
    return Effect.flatMap(Effect.timeoutOption(Effect.interruptible(gone(child)), patience), (ended) =>
      Option.isSome(ended) ? Effect.void : killed
    )
  })

/** Opens connections with the system's ssh; the scope closes when the last of its processes has ended. */
export const make = (address: SshAddress): Effect.Effect<SshConnections, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const children = new Set<ChildProcess.ChildProcess>()
      return {
        children,
        open: () => {
          // Without its streams when there are no more file descriptors; "error" then says so.
          const child: ChildProcess.ChildProcess = ChildProcess.spawn("ssh", toArguments(address), {
            stdio: "pipe",
            detached: ownGroup,
            windowsHide: true
          })
          children.add(child)
          child.on("close", () => children.delete(child))
          return new SshConnection(child)
        }
      }
    }),
    ({ children }) => Effect.forEach(children, end, { concurrency: "unbounded", discard: true })
  )
