/**
 * What the machine already knows about registries: what `docker login`, `podman login` and credential helpers left.
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { canonicalHost } from "../reference/internal/grammar.ts"
import type { Credential, ResolvedCredential } from "./Credential.ts"
import type { CredentialError, CredentialHelperError, DockerConfigError } from "./CredentialError.ts"
import * as CredentialHelper from "./CredentialHelper.ts"
import * as DockerConfig from "./DockerConfig.ts"
import { machineFiles } from "./internal/machineFiles.ts"
import { makeSingleFlight } from "./internal/singleFlight.ts"

/**
 * Finds the credential the machine holds for a host; `None` when it holds none.
 *
 * `repository` is the path of what the credential is for (`library/alpine`): podman's files may hold a credential for a
 * part of a host.
 *
 * @since 0.1.0
 * @category tags
 */
export class Keychain extends Context.Tag("gantry/Keychain")<
  Keychain,
  {
    readonly find: (
      host: string,
      options?: { readonly repository?: string | undefined }
    ) => Effect.Effect<Option.Option<ResolvedCredential>, CredentialError>
  }
>() {}

/**
 * The files of a keychain: `dockerAuthConfig` is the text of `DOCKER_AUTH_CONFIG`, `dockerConfigFile` the path of Docker's
 * `config.json`, `containersAuthFiles` the paths of podman's `auth.json`, in order.
 *
 * @since 0.1.0
 * @category models
 */
export interface Files {
  readonly dockerAuthConfig?: Redacted.Redacted | undefined
  readonly dockerConfigFile: string
  readonly containersAuthFiles: ReadonlyArray<string>
}

/**
 * A keychain of the files given. They are read again by each `find`, in order, up to the first that knows the host; those
 * that ask for one host while it is looked for share what is found.
 *
 * A file that is malformed, an entry of this host that can not be used and a credential helper that fails are errors: what
 * comes after them is not asked. Docker goes on anonymously when the program of a helper is missing; here that is a
 * `CredentialHelperError` too, since the registry's "denied" would not say why. What is wrong with the entry of another
 * host is logged once, as a warning, and stops nothing.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFiles = (files: Files): Layer.Layer<Keychain, never, FileSystem.FileSystem> =>
  Layer.scoped(
    Keychain,
    Effect.gen(function* () {
      const context = yield* Effect.context<FileSystem.FileSystem>()
      const helpers = yield* CredentialHelper.make
      const reported = new Set<string>()

      const load = (path: string, format: DockerConfig.Format) =>
        Effect.provide(DockerConfig.load(path, format), context)

      const sources: ReadonlyArray<Effect.Effect<DockerConfig.DockerConfig, DockerConfigError>> = [
        ...Option.toArray(Option.fromNullable(files.dockerAuthConfig)).map((text) =>
          DockerConfig.parse(Redacted.value(text), { path: "DOCKER_AUTH_CONFIG", format: "docker" })
        ),
        load(files.dockerConfigFile, "docker"),
        ...files.containersAuthFiles.map((path) => load(path, "containers"))
      ]

      const report = (config: DockerConfig.DockerConfig) =>
        Effect.forEach(Arr.getLefts(config.auths.values()), ({ message }) => {
          if (reported.has(message)) return Effect.void
          reported.add(message)
          return Effect.logWarning(message)
        })

      const take = (
        location: DockerConfig.Location,
        host: string,
        path: string
      ): Effect.Effect<Option.Option<ResolvedCredential>, CredentialHelperError> =>
        DockerConfig.Location.$match(location, {
          InFile: ({ credential }) => Effect.succeedSome({ credential, origin: path, revalidate: true }),
          WithHelper: ({ helper }) =>
            Effect.map(
              helpers.get(helper, host),
              Option.map((credential) => ({
                credential,
                origin: `docker-credential-${helper}, named in ${path}`,
                revalidate: true
              }))
            )
        })

      const search = Effect.fnUntraced(function* (host: string, repository: string | undefined) {
        for (const source of sources) {
          const config = yield* source
          const location = yield* DockerConfig.locate(config, host, repository)
          yield* report(config)
          const found = Option.isSome(location) ? yield* take(location.value, host, config.path) : Option.none()
          if (Option.isSome(found)) {
            return found
          }
        }
        return Option.none()
      })

      // The pushes of a batch ask at the same moments, and nothing is remembered between them.
      const shared = yield* makeSingleFlight<Option.Option<ResolvedCredential>, CredentialError>(() => Duration.zero)

      return {
        find: Effect.fn("Keychain.find")((host, options) =>
          shared(`${host}/${options?.repository ?? ""}`, search(host, options?.repository))
        )
      }
    })
  )

/**
 * A keychain of the files whose paths the configuration gives.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  files: Config.Config.Wrap<Files>
): Layer.Layer<Keychain, ConfigError.ConfigError, FileSystem.FileSystem> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(files), layerFiles))

/**
 * Where the machine's own keychain looks, by its environment; see `layer`.
 *
 * @since 0.1.0
 * @category config
 */
export const files: Effect.Effect<Files, ConfigError.ConfigError, Path.Path> = machineFiles

/**
 * The machine's own keychain: `DOCKER_AUTH_CONFIG`, then `config.json` in `DOCKER_CONFIG` or `~/.docker`, then either the
 * file `REGISTRY_AUTH_FILE` or podman's two (`$XDG_RUNTIME_DIR/containers/auth.json`,
 * `$XDG_CONFIG_HOME/containers/auth.json`). See `layerFiles` for how they are read.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Keychain, ConfigError.ConfigError, FileSystem.FileSystem | Path.Path> =
  Layer.unwrapEffect(Effect.map(machineFiles, layerFiles))

/**
 * A keychain that holds just these credentials.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory = (credentials: Iterable<Credential>): Layer.Layer<Keychain> =>
  Layer.sync(Keychain, () => {
    const byHost = new Map(Array.from(credentials, (credential) => [credential.host, credential]))
    return {
      find: (host) =>
        Effect.succeed(
          Option.map(Option.fromNullable(byHost.get(canonicalHost(host))), (credential) => ({
            credential,
            origin: "memory",
            revalidate: false
          }))
        )
    }
  })
