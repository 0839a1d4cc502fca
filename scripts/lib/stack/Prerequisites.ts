/**
 * The tools that the loopback stack runs, and their installation on Debian.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type MissingTool, PrerequisitesMissing, StackError } from "./StackError.ts"

/** What the stack is made of and shown with. */
const ofStack: ReadonlyArray<MissingTool> = [
  { command: "dockerd", debianPackage: "docker.io" },
  { command: "docker-registry", debianPackage: "docker-registry" },
  { command: "skopeo", debianPackage: "skopeo" },
  { command: "htpasswd", debianPackage: "apache2-utils" },
  { command: "openssl", debianPackage: "openssl" },
  { command: "docker", debianPackage: "docker.io" }
]

/** With what only the live tests run besides: other engines, helpers, shells and a terminal. */
const ofTests: ReadonlyArray<MissingTool> = [
  ...ofStack,
  { command: "docker-credential-ecr-login", debianPackage: "amazon-ecr-credential-helper" },
  { command: "sshd", debianPackage: "openssh-server" },
  { command: "ssh", debianPackage: "openssh-client" },
  { command: "podman", debianPackage: "podman" },
  { command: "tmux", debianPackage: "tmux" },
  { command: "zsh", debianPackage: "zsh" },
  { command: "fish", debianPackage: "fish" }
]

/** Daemons live in sbin, which is not on every user's PATH. */
export const searchPath = [process.env["PATH"] ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter)

const isInstalled = (command: string): boolean =>
  searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return folder !== ""
    } catch {
      return false
    }
  })

const isRoot = () => process.getuid?.() === 0

type Tools = ReadonlyArray<MissingTool>

const missing = (tools: Tools): Option.Option<PrerequisitesMissing> => {
  const absent = tools.filter((tool) => !isInstalled(tool.command))
  return absent.length > 0 || !isRoot()
    ? Option.some(new PrerequisitesMissing({ tools: absent, needsRoot: !isRoot() }))
    : Option.none()
}

/** What keeps live tests from running here; synchronous, because a test file has to know it while it is collected. */
export const unsafeMissingForTests = (): Option.Option<PrerequisitesMissing> => missing(ofTests)

const check = (tools: Tools): Effect.Effect<void, PrerequisitesMissing> =>
  Effect.suspend(() => Option.match(missing(tools), { onNone: () => Effect.void, onSome: Effect.fail }))

const apt = (...parameters: ReadonlyArray<string>): Effect.Effect<void, StackError> =>
  Effect.suspend(() => {
    const run = spawnSync("apt-get", parameters, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
    })
    return run.status === 0
      ? Effect.void
      : Effect.fail(new StackError({ message: `apt-get ${parameters[0]} failed with exit code ${run.status}` }))
  })

const installTools = (tools: Tools): Effect.Effect<void, PrerequisitesMissing | StackError> =>
  Effect.suspend(() =>
    Option.match(missing(tools), {
      onNone: () => Effect.void,
      onSome: (missing) =>
        missing.needsRoot || !isInstalled("apt-get")
          ? Effect.fail(missing)
          : Effect.zipRight(
              apt("update", "-qq"),
              apt(
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                ...new Set(missing.tools.map((tool) => tool.debianPackage))
              )
            ).pipe(Effect.zipRight(check(tools)))
    })
  )

/**
 * Installs what the stack lacks when this is root on a machine with apt; fails with what is missing otherwise. A demo and
 * a bench are not to wait for the shells and engines that only live tests run.
 */
export const install = installTools(ofStack)

/** As `install`, with what live tests run besides. */
export const installForTests = installTools(ofTests)
