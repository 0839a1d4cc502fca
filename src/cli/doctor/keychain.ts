import * as FileSystem from "@effect/platform/FileSystem"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as CredentialHelper from "../../credential/CredentialHelper.ts"
import * as DockerConfig from "../../credential/DockerConfig.ts"
import * as Keychain from "../../credential/Keychain.ts"
import * as Finding from "../Finding.ts"
import type { LoadedFile } from "../internal/loadFile.ts"
import { registriesOf } from "../internal/loadFile.ts"

/** What the machine's files of credentials say. */
export interface KeychainProbe {
  readonly findings: ReadonlyArray<Finding.Finding>
  readonly configs: ReadonlyArray<DockerConfig.DockerConfig>
}

const check = "docker-config"

const nothing: KeychainProbe = { findings: [], configs: [] }

const count = (things: number, one: string, several: string) => `${things} ${things === 1 ? one : several}`

const describe = ({ auths, credHelpers, credsStore, path }: DockerConfig.DockerConfig): string =>
  [
    `${path}: ${count(auths.size, "entry", "entries")}`,
    ...Option.match(credsStore, { onNone: () => [], onSome: (store) => [`credsStore ${store}`] }),
    ...Array.from(credHelpers, ([host, helper]) => `${helper} for ${host}`)
  ].join(", ")

const read = (config: DockerConfig.DockerConfig): KeychainProbe => {
  const unusable = Arr.getLefts(config.auths.values())
  return {
    findings: [
      Finding.ok(check, `${describe(config)}.`),
      ...unusable.map((error) => Finding.warning(check, Finding.troubleOf(error)))
    ],
    configs: [config]
  }
}

const probeConfig = (
  config: Either.Either<DockerConfig.DockerConfig, { readonly message: string; readonly advice: string }>
) =>
  Either.match(config, {
    onLeft: (error): KeychainProbe => ({ findings: [Finding.failed(check, Finding.troubleOf(error))], configs: [] }),
    onRight: read
  })

const probePath = Effect.fnUntraced(function* (path: string, format: DockerConfig.Format, absent: KeychainProbe) {
  const fileSystem = yield* FileSystem.FileSystem
  const exists = yield* Effect.orElseSucceed(fileSystem.exists(path), () => true)
  return exists ? probeConfig(yield* Effect.either(DockerConfig.load(path, format))) : absent
})

/** Reads every file in which Docker and podman keep credentials. */
export const probeKeychain = Effect.gen(function* () {
  const files = yield* Keychain.files
  const absent: KeychainProbe = {
    findings: [Finding.skipped(check, `There is no ${files.dockerConfigFile}: nobody has logged in with docker.`)],
    configs: []
  }
  const byVariable = Option.map(Option.fromNullable(files.dockerAuthConfig), (text) =>
    probeConfig(DockerConfig.parse(Redacted.value(text), { path: "DOCKER_AUTH_CONFIG", format: "docker" }))
  )
  const docker = yield* probePath(files.dockerConfigFile, "docker", absent)
  const containers = yield* Effect.forEach(files.containersAuthFiles, (path) => probePath(path, "containers", nothing))
  const probes = [...Option.toArray(byVariable), docker, ...containers]
  return {
    findings: probes.flatMap(({ findings }) => findings),
    configs: probes.flatMap(({ configs }) => configs)
  }
}).pipe(
  Effect.catchAll((error) =>
    Effect.succeed<KeychainProbe>({
      findings: [
        Finding.failed(check, { what: String(error).trim(), todo: "Correct this variable of the environment." })
      ],
      configs: []
    })
  )
)

/** A helper that a file names, and a host it can be asked about. */
interface NamedHelper {
  readonly helper: string
  readonly host: string
  readonly where: string
  /** Whether pushes of this file, or of whoever has no file, depend on it. */
  readonly isNeeded: boolean
}

const DOCKER_HUB = "docker.io"

const helpersOf = (
  { credHelpers, credsStore, format, path }: DockerConfig.DockerConfig,
  hosts: ReadonlyArray<string>
): ReadonlyArray<NamedHelper> => [
  ...(format === "docker" ? Option.toArray(credsStore) : []).map((helper) => ({
    helper,
    host: hosts.find((host) => !credHelpers.has(host)) ?? DOCKER_HUB,
    where: `credsStore of ${path}`,
    isNeeded: true
  })),
  ...Array.from(credHelpers)
    .filter(([, helper]) => helper !== "")
    .map(([host, helper]) => ({
      helper,
      host,
      where: `credHelpers of ${path}`,
      isNeeded: hosts.includes(host)
    }))
]

const helperCheck = "credential-helper"

/** Asks each helper that a file names. What it answers stays here: only whether it holds something is told. */
export const probeHelpers = (configs: ReadonlyArray<DockerConfig.DockerConfig>, file: Option.Option<LoadedFile>) =>
  Effect.gen(function* () {
    const hosts = Object.values(registriesOf(file)).map(({ uri }) => uri.host)
    const named = configs.flatMap((config) => helpersOf(config, hosts))
    if (named.length === 0) return [Finding.skipped(helperCheck, "No file names a credential helper.")]
    const helpers = yield* CredentialHelper.make
    return yield* Effect.forEach(
      named,
      ({ helper, host, isNeeded, where }) =>
        Effect.match(helpers.get(helper, host), {
          onFailure: (error) => (isNeeded ? Finding.failed : Finding.warning)(helperCheck, Finding.troubleOf(error)),
          onSuccess: (found) =>
            Finding.ok(
              helperCheck,
              `docker-credential-${helper} (${where}) answers: it holds ${Option.isSome(found) ? "a" : "no"} credential for ${host}.`
            )
        }),
      { concurrency: "unbounded" }
    )
  }).pipe(Effect.scoped)
