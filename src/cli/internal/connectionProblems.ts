import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type { FileRegistry } from "../../config/GantryFile.ts"
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
  file: LoadedFile
): ReadonlyArray<Problem> =>
  passwordStdin
    ? stdinReaders(
        Object.values(file.registries).filter(({ uri }) => hosts.includes(uri.host)),
        file
      ).map((what) => `--password-stdin and ${what} both read standard input: keep one of them`)
    : []

/** What of the file reads standard input for these registries of it. */
export const stdinReaders = (
  used: ReadonlyArray<FileRegistry>,
  { connectors, path, secrets }: LoadedFile
): ReadonlyArray<string> => {
  const readers = [
    ...namesOf(used, "secret").map((name) => ({ what: `the secret ${name}`, fields: { ...secrets[name] } })),
    ...namesOf(used, "connector").map((name) => ({
      what: `the connector ${name}`,
      fields: { ...connectors[name]?.fields }
    }))
  ]
  return readers
    .filter(({ fields }) => Object.values(fields).some((source) => typeof source === "object" && "stdin" in source))
    .map(({ what }) => `${what} of ${path}`)
}

const namesOf = (registries: ReadonlyArray<FileRegistry>, word: "secret" | "connector"): ReadonlyArray<string> =>
  Arr.dedupe(registries.flatMap(({ [word]: name }) => (name === undefined ? [] : [name])))
