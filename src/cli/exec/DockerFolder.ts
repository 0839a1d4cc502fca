/**
 * A folder in place of the user's own Docker folder: its `config.json` asks gantry for credentials and holds none, and
 * everything that is not about credentials is as the user has it.
 */
import { delimiter, dirname } from "node:path"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Arr from "effect/Array"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Credential from "../../credential/Credential.ts"
import * as DockerConfig from "../../credential/DockerConfig.ts"
import * as Keychain from "../../credential/Keychain.ts"
import { systemWords } from "../internal/systemWords.ts"
import { UsageError } from "../UsageError.ts"
import { folderVariable } from "./HelperChannel.ts"

/** The helper's name behind `docker-credential-`. */
const helper = "gantry"

const helperProgram = `docker-credential-${helper}`

const configName = "config.json"

/** The folder of a run, what a program finds it by, and the hosts besides the run's own that gantry is asked for. */
export interface DockerFolder {
  readonly path: string
  /** Variables to set, and those to take away. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly others: ReadonlyArray<string>
}

/** What the machine knows of credentials: Docker's own file, and the others that a credential may be in. */
export interface Known {
  readonly docker: DockerConfig.DockerConfig
  readonly beside: ReadonlyArray<DockerConfig.DockerConfig>
}

const hostsOf = ({ auths, credHelpers }: DockerConfig.DockerConfig): ReadonlyArray<string> =>
  [...auths.keys(), ...credHelpers.keys()].map(DockerConfig.hostOf)

/**
 * Who holds what: gantry answers for its registries and for what lies in a file, as the secret itself is not copied. A
 * helper that the user's own file names goes on being asked, by the program itself.
 */
export const helpersOf = (hosts: ReadonlyArray<string>, { beside, docker }: Known) => {
  const keptHelpers = Array.from(docker.credHelpers).filter(
    ([key, name]) => name !== "" && !hosts.includes(DockerConfig.hostOf(key))
  )
  const kept = keptHelpers.map(([key]) => DockerConfig.hostOf(key))
  const others = Arr.dedupe([docker, ...beside].flatMap(hostsOf)).filter(
    (host) => !hosts.includes(host) && !kept.includes(host)
  )
  return {
    others,
    credsStore: Option.getOrElse(docker.credsStore, () => helper),
    credHelpers: Object.fromEntries([
      ...keptHelpers,
      // Docker Hub has another name for Docker than for podman and skopeo.
      ...[...hosts, ...others].flatMap((host) => [Credential.serverAddress(host), host]).map((key) => [key, helper])
    ])
  }
}

/** What else Docker's file says; it holds no credential for a registry. */
const Settings = Schema.parseJson(
  Schema.partial(
    Schema.Struct({
      currentContext: Schema.Unknown,
      HttpHeaders: Schema.Unknown,
      proxies: Schema.Unknown,
      plugins: Schema.Unknown,
      cliPluginsExtraDirs: Schema.Unknown,
      aliases: Schema.Unknown,
      features: Schema.Unknown,
      experimental: Schema.Unknown
    })
  )
)

const wrong = ({ message }: { readonly message: string }) => new UsageError({ problems: [message] })

/** Every file of credentials of the machine; one that can not be read would be missed by whoever needs it. */
const readKnown = Effect.fnUntraced(function* () {
  const { containersAuthFiles, dockerAuthConfig, dockerConfigFile } = yield* Keychain.files
  const given = Option.toArray(Option.fromNullable(dockerAuthConfig)).map((text) =>
    DockerConfig.parse(Redacted.value(text), { path: "DOCKER_AUTH_CONFIG", format: "docker" })
  )
  const known: Known = {
    docker: yield* DockerConfig.load(dockerConfigFile, "docker"),
    beside: [
      ...(yield* Effect.all(given)),
      ...(yield* Effect.forEach(containersAuthFiles, (path) => DockerConfig.load(path, "containers")))
    ]
  }
  return known
})

/** Contexts, plugins, builders: what stands beside the file, which a program may also change. */
const linkEverythingElse = Effect.fnUntraced(function* (from: string, to: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fileSystem.readDirectory(from), () => [])
  yield* Effect.forEach(
    names.filter((name) => name !== configName),
    (name) => fileSystem.symlink(path.join(from, name), path.join(to, name))
  )
})

const variable = (name: string) => Config.option(Config.nonEmptyString(name))

const unwritable = (error: PlatformError) =>
  new UsageError({
    problems: [
      `exec can not make its folder (${systemWords(error)}): name one with room that this user may write to with TMPDIR`
    ]
  })

/** The folder itself, with what a program and the helper need to find in it. */
const write = Effect.fnUntraced(function* (content: {
  readonly config: string
  readonly userFolder: string
  readonly credentialHelper: string
}) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fileSystem.makeTempDirectoryScoped({ prefix: "gantry-exec-" })
  const [docker, programs] = [path.join(folder, "docker"), path.join(folder, "bin")]
  const config = path.join(docker, configName)
  yield* Effect.all([fileSystem.makeDirectory(docker), fileSystem.makeDirectory(programs)])
  yield* fileSystem.writeFileString(config, content.config, { mode: 0o600 })
  yield* linkEverythingElse(content.userFolder, docker)
  yield* fileSystem.symlink(content.credentialHelper, path.join(programs, helperProgram))
  return { folder, docker, programs, config }
}, Effect.mapError(unwritable))

/** Makes the folder, which goes with the scope; what is linked into it stays. */
export const make = Effect.fn("DockerFolder.make")(function* (options: {
  readonly hosts: ReadonlyArray<string>
  /** The program file of the helper. */
  readonly credentialHelper: string
}) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const known = yield* Effect.mapError(readKnown(), wrong)
  const userFolder = path.resolve(yield* Effect.orDie(DockerConfig.folder))
  const settings = yield* fileSystem.readFileString(known.docker.path).pipe(
    Effect.flatMap(Schema.decode(Settings)),
    // A file that is not there, or is empty; one that is malformed was refused above.
    Effect.orElseSucceed(() => ({}))
  )
  const { others, ...helpers } = helpersOf(options.hosts, known)
  const { config, docker, folder, programs } = yield* write({
    config: `${JSON.stringify({ ...settings, ...helpers }, undefined, 2)}\n`,
    userFolder,
    credentialHelper: options.credentialHelper
  })
  const [searched, builders] = yield* Effect.orDie(Effect.all([variable("PATH"), variable("BUILDX_CONFIG")]))
  const made: DockerFolder = {
    path: folder,
    environment: {
      [folderVariable]: folder,
      DOCKER_CONFIG: docker,
      // skopeo and podman look into the user's own files first, which would win over gantry.yaml.
      REGISTRY_AUTH_FILE: config,
      // Docker would take a credential from there before it asks anybody.
      DOCKER_AUTH_CONFIG: undefined,
      // buildx remembers its builders in Docker's folder, and this one goes.
      BUILDX_CONFIG: Option.getOrElse(builders, () => path.join(userFolder, "buildx")),
      // The helper first; the Node that runs gantry last, for a helper that finds no other.
      PATH: [programs, ...Option.toArray(searched), dirname(process.execPath)].join(delimiter)
    },
    others
  }
  return made
})
