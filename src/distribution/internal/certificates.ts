/**
 * Whom a connection trusts and who it says it is: the system's authorities, and `certs.d` as Docker reads it.
 *
 * Source: https://docs.docker.com/engine/security/certificates/
 */
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Tls from "node:tls"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

const MACHINE_FOLDER = "/etc/docker/certs.d"

/** The folders that may hold a folder per registry host, the first that has it counts. */
export const dockerFolders: Effect.Effect<ReadonlyArray<string>> = Config.string("XDG_CONFIG_HOME").pipe(
  Config.orElse(() => Config.map(Config.string("HOME"), (home) => Path.join(home, ".config"))),
  // Where a rootless engine looks.
  Effect.map((configuration) => [MACHINE_FOLDER, Path.join(configuration, "docker", "certs.d")]),
  Effect.orElseSucceed(() => [MACHINE_FOLDER])
)

/** Where Go's programs, Docker among them, look: https://go.dev/src/crypto/x509/root_linux.go */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem"
]

/** A file or folder of certificates that can not be used. */
export interface CertificateProblem {
  readonly detail: string
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error"

const read = (path: string): Effect.Effect<string, CertificateProblem> =>
  Effect.tryPromise({
    try: () => Fs.readFile(path, "utf8"),
    catch: (error) => ({ detail: `${path} can not be read (${codeOf(error)})` })
  })

const firstReadable = (paths: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.reduce(paths, "", (found, path) =>
    found === "" ? Effect.orElseSucceed(read(path), () => "") : Effect.succeed(found)
  )

const certificatesOf = (bundle: string): ReadonlyArray<string> =>
  bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []

/** One of each certificate, however its lines are broken: each costs time, and most lists are the same. */
const distinct = (certificates: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Map(certificates.map((certificate) => [certificate.replace(/\s/g, ""), certificate])).values()
]

const environmentFile = (name: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.orElseSucceed(
    Effect.map(Config.string(name), (path) => [path]),
    () => []
  )

/** Node's own list, the system's, and the files the environment names; naming any list replaces Node's defaults. */
const systemAuthorities: Effect.Effect<ReadonlyArray<string>> = Effect.gen(function* () {
  const named = yield* environmentFile("SSL_CERT_FILE")
  const system = yield* firstReadable([...named, ...systemBundles])
  const extra = yield* firstReadable(yield* environmentFile("NODE_EXTRA_CA_CERTS"))
  return distinct([...Tls.rootCertificates, ...certificatesOf(system), ...certificatesOf(extra)])
})

interface HostCertificates {
  readonly authorities: ReadonlyArray<string>
  readonly certificates: ReadonlyArray<string>
  readonly keys: ReadonlyArray<string>
}

const nothing: HostCertificates = { authorities: [], certificates: [], keys: [] }

const list = (folder: string): Effect.Effect<Option.Option<ReadonlyArray<string>>, CertificateProblem> =>
  Effect.tryPromise({ try: () => Fs.readdir(folder), catch: codeOf }).pipe(
    Effect.map((names) => Option.some<ReadonlyArray<string>>(names.sort())),
    Effect.catchAll((code) =>
      code === "ENOENT" || code === "ENOTDIR"
        ? Effect.succeedNone
        : Effect.fail({ detail: `${folder} can not be read (${code})` })
    )
  )

const readAll = (folder: string, names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => read(Path.join(folder, name)))

/** `*.crt` is an authority, `NAME.cert` with `NAME.key` a client certificate; one without the other is an error. */
const readFolder = (folder: string, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const stems = (extension: string) =>
      names.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length))
    const certificates = stems(".cert")
    const keys = stems(".key")
    const alone = [...certificates, ...keys].find((stem) => !(certificates.includes(stem) && keys.includes(stem)))
    if (alone !== undefined) {
      const detail = `${Path.join(folder, alone)} needs both a .cert and a .key file; an authority's file ends in .crt`
      return yield* Effect.fail({ detail })
    }
    return {
      authorities: (yield* readAll(
        folder,
        names.filter((name) => name.endsWith(".crt"))
      )).flatMap(certificatesOf),
      certificates: yield* readAll(
        folder,
        certificates.map((stem) => `${stem}.cert`)
      ),
      keys: yield* readAll(
        folder,
        certificates.map((stem) => `${stem}.key`)
      )
    }
  })

const hostCertificates = (
  folders: ReadonlyArray<string>,
  host: string
): Effect.Effect<HostCertificates, CertificateProblem> =>
  Effect.gen(function* () {
    for (const parent of folders) {
      const folder = Path.join(parent, host)
      const names = yield* list(folder)
      if (Option.isSome(names)) return yield* readFolder(folder, names.value)
    }
    return nothing
  })

/** What TLS needs to know for one host (`host[:port]`), read from the files as they are now. */
export const secureContext = (
  folders: ReadonlyArray<string>,
  host: string
): Effect.Effect<Tls.SecureContext, CertificateProblem> =>
  Effect.gen(function* () {
    const { authorities, certificates, keys } = yield* hostCertificates(folders, host)
    const system = yield* systemAuthorities
    return yield* Effect.try({
      try: () => Tls.createSecureContext({ ca: [...system, ...authorities], cert: [...certificates], key: [...keys] }),
      catch: () => ({ detail: `The certificates of ${host} in ${folders.join(" or ")} can not be used` })
    })
  })
