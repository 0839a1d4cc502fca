/**
 * Engines that are reached in other ways than over a socket of dockerd: behind TLS, behind a sshd, and Podman's service.
 */
import { execFile, spawn } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { connect, createServer, type Server } from "node:net"
import { tmpdir, userInfo } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as EngineApi from "../../../scripts/lib/stack/EngineApi.ts"
import { freePort } from "../../../scripts/lib/stack/internal/freePort.ts"
import * as Stack from "../../../scripts/lib/stack/Stack.ts"
import { temporaryFolder } from "./command.ts"

const run = (command: string, ...parameters: ReadonlyArray<string>) =>
  Effect.promise(() => promisify(execFile)(command, parameters))

const until = (condition: () => Promise<boolean>) =>
  Effect.promise(async () => {
    while (!(await condition().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 50))
  }).pipe(Effect.timeout("30 seconds"), Effect.orDie)

const listens = (port: number) => () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true))
    socket.on("connect", () => socket.destroy())
    socket.on("error", () => resolve(false))
  })

/** A program that ends with the scope. */
const daemon = (
  command: string,
  parameters: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(command, parameters, { env: { ...process.env, ...environment }, stdio: "ignore" })),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGTERM")
      })
  )

/** Makes `NAME-key.pem` and `NAME.pem` in a folder, signed by the authority of that folder. */
const certificate = (folder: string, name: string, usage: "serverAuth" | "clientAuth") => {
  const [key, request, file] = [`${name}-key.pem`, `${name}.csr`, `${name}.pem`].map((one) => join(folder, one))
  const extensions = join(folder, `${name}.ext`)
  return Effect.gen(function* () {
    yield* run(
      "openssl",
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      `${key}`,
      "-out",
      `${request}`,
      "-subj",
      `/CN=${name}`
    )
    yield* Effect.promise(() => writeFile(extensions, `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`))
    const authority = ["-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca-key.pem"), "-CAcreateserial"]
    yield* run(
      "openssl",
      "x509",
      "-req",
      "-days",
      "2",
      "-in",
      `${request}`,
      "-out",
      `${file}`,
      "-extfile",
      extensions,
      ...authority
    )
  })
}

const authority = (folder: string) =>
  run(
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=gantry-test",
    "-keyout",
    join(folder, "ca-key.pem"),
    "-out",
    join(folder, "ca.pem")
  )

export interface TlsEngine {
  readonly engine: Effect.Effect.Success<ReturnType<typeof Stack.engine>>
  /** `tcp://127.0.0.1:PORT`, where TLS and a certificate of the client's are wanted. */
  readonly address: string
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string }
}

/** A dockerd that listens behind TLS too, and asks for a client's certificate. */
export const tlsEngine = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  yield* authority(folder)
  yield* certificate(folder, "server", "serverAuth")
  yield* certificate(folder, "client", "clientAuth")
  const port = yield* freePort
  const file = (name: string) => join(folder, name)
  const engine = yield* Stack.engine({
    arguments: [
      `--host=tcp://127.0.0.1:${port}`,
      "--tlsverify",
      `--tlscacert=${file("ca.pem")}`,
      `--tlscert=${file("server.pem")}`,
      `--tlskey=${file("server-key.pem")}`
    ]
  })
  const files = { ca: file("ca.pem"), certificate: file("client.pem"), key: file("client-key.pem") }
  return { engine, address: `tcp://127.0.0.1:${port}`, files } satisfies TlsEngine
})

export interface SshServer {
  /** A folder with a program `ssh`, which is the system's with a configuration of the test's own. */
  readonly clientFolder: string
  /** The PATH that has it first. */
  readonly path: string
  /** Hosts of that configuration. */
  readonly hosts: {
    /** Lets us in. */
    readonly lab: string
    /** Is in no known_hosts. */
    readonly stranger: string
    /** Is known, and does not know our key. */
    readonly keyless: string
    /** Is not there. */
    readonly nowhere: string
  }
}

const keyPair = (file: string) => run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)

/**
 * A sshd on loopback whose docker command speaks to an engine. The client's configuration is reached by a program `ssh`
 * before the system's on the PATH: OpenSSH takes the home folder from the system's list of users, whatever HOME says.
 */
export const sshServer = (engineHost: string): Effect.Effect<SshServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const file = (name: string) => join(folder, name)
    yield* Effect.all([keyPair(file("host")), keyPair(file("user")), keyPair(file("other"))])
    const [port, closed] = yield* Effect.all([freePort, freePort])
    const user = userInfo().username
    const [userKey, hostKey] = yield* Effect.promise(() =>
      Promise.all([readFile(file("user.pub"), "utf8"), readFile(file("host.pub"), "utf8")])
    )
    const client = file("bin")
    const settings = [
      `ListenAddress 127.0.0.1`,
      `Port ${port}`,
      `HostKey ${file("host")}`,
      `AuthorizedKeysFile ${file("authorized")}`,
      `PidFile none`,
      "StrictModes no",
      "UsePAM no",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "PermitRootLogin yes",
      "MaxStartups 100",
      `SetEnv DOCKER_HOST=${engineHost}`
    ]
    const host = (name: string, lines: ReadonlyArray<string>) =>
      [`Host ${name}`, "HostName 127.0.0.1", `User ${user}`, "IdentitiesOnly yes", ...lines].join("\n  ")
    const known = `UserKnownHostsFile ${file("known")}`
    const configuration = [
      host("gantry-lab", [`Port ${port}`, `IdentityFile ${file("user")}`, known]),
      host("gantry-stranger", [`Port ${port}`, `IdentityFile ${file("user")}`, "UserKnownHostsFile /dev/null"]),
      host("gantry-keyless", [`Port ${port}`, `IdentityFile ${file("other")}`, known]),
      host("gantry-nowhere", [`Port ${closed}`, `IdentityFile ${file("user")}`, known])
    ]
    yield* Effect.promise(async () => {
      await mkdir("/run/sshd", { recursive: true })
      await mkdir(client)
      await writeFile(file("authorized"), userKey)
      await writeFile(file("known"), `[127.0.0.1]:${port} ${hostKey}`)
      await writeFile(file("sshd_config"), `${settings.join("\n")}\n`)
      await writeFile(file("ssh_config"), `${configuration.join("\n")}\n`)
      await writeFile(join(client, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F '${file("ssh_config")}' "$@"\n`, {
        mode: 0o755
      })
    })
    yield* daemon("/usr/sbin/sshd", ["-D", "-f", file("sshd_config")])
    yield* until(listens(port))
    return {
      clientFolder: client,
      path: `${client}${delimiter}${process.env["PATH"] ?? ""}`,
      hosts: {
        lab: "gantry-lab",
        stranger: "gantry-stranger",
        keyless: "gantry-keyless",
        nowhere: "gantry-nowhere"
      }
    }
  })

/** How many of the system's ssh run with a configuration of this folder. */
export const sshProcesses = ({ clientFolder }: SshServer): Effect.Effect<number> =>
  Effect.promise(() => promisify(execFile)("ps", ["-eo", "stat=,args="])).pipe(
    Effect.map(
      ({ stdout }) =>
        stdout
          .split("\n")
          .filter((line) => !line.startsWith("Z") && line.includes(join(clientFolder, "..", "ssh_config"))).length
    )
  )

export interface Podman {
  readonly host: string
  readonly api: EngineApi.EngineApi
}

/** Podman's service, with storage of its own; its settings leave registries without TLS to each push. */
export const podmanService: Effect.Effect<Podman, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const file = (name: string) => join(folder, name)
  const socket = file("podman.sock")
  yield* Effect.promise(() => writeFile(file("registries.conf"), ""))
  const storage = ["--root", file("root"), "--runroot", file("run"), "--storage-driver", "vfs"]
  yield* daemon("podman", [...storage, "system", "service", "--time", "0", `unix://${socket}`], {
    CONTAINERS_REGISTRIES_CONF: file("registries.conf"),
    TMPDIR: tmpdir()
  })
  const api = EngineApi.make(socket)
  yield* until(() => Effect.runPromise(api.ping))
  return { host: `unix://${socket}`, api }
})

/** A port without TLS that leads to an engine's socket: its address. */
export const plainPort = (socketPath: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Server>((resume) => {
        const server = createServer((socket) => {
          const behind = connect(socketPath)
          socket.on("error", () => {}).pipe(behind)
          behind.on("error", () => {}).pipe(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    ),
    (server) => {
      const bound = server.address()
      return `tcp://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`
    }
  )
