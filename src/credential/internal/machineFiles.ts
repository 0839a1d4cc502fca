import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Files } from "../Keychain.ts"

const variable = (name: string) => Config.option(Config.nonEmptyString(name))

// Asked for and not imported: who never looks for the home folder needs no Node.
const home = Config.map(
  variable("HOME"),
  Option.getOrElse(() => process.getBuiltinModule("node:os").homedir())
)

/** https://docs.docker.com/reference/cli/docker/#change-the-docker-directory */
export const dockerFolder = Config.map(Config.all([variable("DOCKER_CONFIG"), home]), ([folder, home]) =>
  Option.getOrElse(folder, () => `${home}/.docker`)
)

const environment = Config.all({
  home,
  dockerFolder,
  dockerAuthConfig: Config.option(Config.redacted(Config.nonEmptyString("DOCKER_AUTH_CONFIG"))),
  registryAuthFile: variable("REGISTRY_AUTH_FILE"),
  runtimeFolder: variable("XDG_RUNTIME_DIR"),
  configFolder: variable("XDG_CONFIG_HOME")
})

/**
 * Where Docker and podman keep credentials on this machine, for this user.
 *
 * Source: https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md for podman's; on macOS and Windows
 * it has no folder that ends with the session.
 */
export const machineFiles = Effect.gen(function* () {
  const path = yield* Path.Path
  const { configFolder, dockerAuthConfig, dockerFolder, home, registryAuthFile, runtimeFolder } = yield* environment
  const configAuth = path.join(
    Option.getOrElse(configFolder, () => path.join(home, ".config")),
    "containers",
    "auth.json"
  )
  const sessionAuth = Option.match(runtimeFolder, {
    onNone: () => `/run/containers/${process.getuid?.() ?? 0}/auth.json`,
    onSome: (folder) => path.join(folder, "containers", "auth.json")
  })
  const files: Files = {
    dockerAuthConfig: Option.getOrUndefined(dockerAuthConfig),
    dockerConfigFile: path.join(dockerFolder, "config.json"),
    containersAuthFiles: Option.match(registryAuthFile, {
      onNone: () => (process.platform === "linux" ? [sessionAuth, configAuth] : [configAuth]),
      onSome: (file) => [file]
    })
  }
  return files
})
