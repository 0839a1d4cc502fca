import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type { ConnectionSettings } from "../RegistryOptions.ts"
import type { LoadedFile } from "./loadFile.ts"

type Problem = string

/** What is wrong with how a command that speaks to these hosts shall log in and connect. */
export const connectionProblems = (
  settings: ConnectionSettings,
  hosts: ReadonlyArray<string>,
  file: Option.Option<LoadedFile>
): ReadonlyArray<Problem> => [
  ...loginProblems(settings, hosts),
  ...tlsProblems(settings),
  ...Option.match(file, { onNone: () => [], onSome: (file) => stdinProblems(settings, hosts, file) })
]

const loginProblems = (
  { passwordStdin, username }: ConnectionSettings,
  hosts: ReadonlyArray<string>
): ReadonlyArray<Problem> => {
  if (Option.isNone(username)) {
    return passwordStdin ? ["--password-stdin needs a --username NAME beside it"] : []
  }
  if (!passwordStdin) {
    return [
      "--username needs --password-stdin beside it: pipe the password in, as in `gantry … --password-stdin < file`"
    ]
  }
  return hosts.length > 1
    ? [
        `--username is for one registry, and there are ${hosts.join(" and ")}: take one of them at a time, or log in with \`docker login\``
      ]
    : []
}

const tlsProblems = ({ plainHttp, tlsSkipVerify }: ConnectionSettings): ReadonlyArray<Problem> =>
  plainHttp
    .filter((host) => tlsSkipVerify.includes(host))
    .map((host) => `${host} is given to --plain-http and to --tls-skip-verify: keep the one that is meant`)

/** Standard input can be read once. */
const stdinProblems = (
  { passwordStdin }: ConnectionSettings,
  hosts: ReadonlyArray<string>,
  { path, registries, secrets }: LoadedFile
): ReadonlyArray<Problem> => {
  if (!passwordStdin) return []
  const used = Object.values(registries).flatMap(({ secret, uri }) =>
    secret !== undefined && hosts.includes(uri.host) ? [secret] : []
  )
  return Arr.dedupe(used)
    .filter((name) =>
      Object.values(secrets[name] ?? {}).some((source) => typeof source !== "string" && "stdin" in source)
    )
    .map((name) => `--password-stdin and the secret ${name} of ${path} both read standard input: keep one of them`)
}
