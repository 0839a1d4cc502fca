/**
 * What `gantry exec` does: run another program that finds its registry credentials here.
 */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as PushTarget from "../push/PushTarget.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import * as CredentialAnswers from "./exec/CredentialAnswers.ts"
import * as CredentialServer from "./exec/CredentialServer.ts"
import * as DockerFolder from "./exec/DockerFolder.ts"
import * as OtherProgram from "./exec/OtherProgram.ts"
import type { ExecSettings } from "./exec.ts"
import { stdinReaders } from "./internal/connectionProblems.ts"
import { hostKey, layerAsking } from "./internal/layerCatalog.ts"
import { type LoadedFile, loadFile, registriesOf } from "./internal/loadFile.ts"
import { allOf, isSameRegistry, readRegistryWords } from "./internal/registryWords.ts"
import type { Machine } from "./Machine.ts"
import { problemLine } from "./output/problem.ts"
import { asTheFileSays } from "./RegistryOptions.ts"
import { Signals } from "./Signals.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"

/** What the command line asks for. */
export interface ExecCommand {
  readonly program: ReadonlyArray<string>
  readonly registries: ReadonlyArray<string>
  readonly settings: ExecSettings
}

/** Runs the command to its exit code. */
export const run = Effect.fn("ExecRun.run")(function* (command: ExecCommand, machine: Machine) {
  const { stderr } = yield* Stdio
  const { relay } = yield* Signals
  const signals = yield* relay
  const { file, registries } = yield* check(command)
  const answers = yield* answersOf(registries, file, machine)
  const folder = yield* DockerFolder.make({
    hosts: Arr.dedupe(registries.map(({ uri }) => uri.host)),
    credentialHelper: machine.credentialHelper
  })
  yield* CredentialServer.serve(folder.path, yield* answers(folder.others))
  return yield* OtherProgram.run({ program: command.program, environment: folder.environment, signals }).pipe(
    Effect.catchTag("ProgramNotRun", (error) =>
      Effect.as(stderr(`${problemLine("gantry exec", error)}\n`), error.exitCode)
    )
  )
}, Effect.scoped)

/** Everything that can be known to be wrong before anything runs. */
const check = Effect.fnUntraced(function* ({ registries: words, settings }: ExecCommand) {
  const file = yield* loadFile(settings)
  const [misnamed, named] = readRegistryWords(words, file)
  const registries = Arr.dedupeWith(words.length === 0 ? allOf(file) : named, isSameRegistry)
  const problems = [
    ...platformProblems,
    ...misnamed,
    ...(misnamed.length === 0 && registries.length === 0 ? [nothingToGive(file)] : []),
    ...rivalProblems(registries, file),
    ...Option.match(file, { onNone: () => [], onSome: (file) => stdinProblems(registries, file) })
  ]
  return problems.length > 0 ? yield* new UsageError({ problems }) : { file, registries }
})

const platformProblems: ReadonlyArray<string> =
  process.platform === "win32" ? ["exec does not run on Windows: use it under WSL"] : []

const nothingToGive = (file: Option.Option<LoadedFile>): string =>
  Option.match(file, {
    onNone: () => "exec needs a REGISTRY, or a gantry.yaml here or in a folder above; name one with --config FILE",
    onSome: ({ path }) => `exec needs a REGISTRY, as ${path} has no registries`
  })

const nameOf = ({ name, uri }: PushTarget.RegistryArgument): string =>
  Option.match(name, { onNone: () => uri.name, onSome: (name) => `@${name}` })

/** A program asks for a host's credential and says nothing of the repository, so a host can have one identity only. */
const rivalProblems = (
  registries: ReadonlyArray<PushTarget.RegistryArgument>,
  file: Option.Option<LoadedFile>
): ReadonlyArray<string> => {
  const identityOf = ({ name, uri }: PushTarget.RegistryArgument): string => {
    const entry = registriesOf(file)[Option.getOrElse(name, () => "")]
    return JSON.stringify([entry?.secret, entry?.connector, entry?.secret === undefined ? uri.path : ""])
  }
  return Object.entries(Arr.groupBy(registries, ({ uri }) => uri.host)).flatMap(([host, rivals]) =>
    Arr.dedupe(rivals.map(identityOf)).length > 1
      ? [
          `${rivals.map(nameOf).join(" and ")} are all on ${host}, which a program can have one credential for: name one`
        ]
      : []
  )
}

const stdinProblems = (
  registries: ReadonlyArray<PushTarget.RegistryArgument>,
  file: LoadedFile
): ReadonlyArray<string> => {
  const used = registries.flatMap(({ name }) =>
    Option.toArray(Option.flatMapNullable(name, (one) => file.registries[one]))
  )
  return stdinReaders(used, file).map(
    (what) => `${what} reads standard input, which is COMMAND's: keep it in a variable (env) or a file`
  )
}

/** What the helper answers, once it is known which other hosts there are. */
const answersOf = Effect.fnUntraced(function* (
  registries: ReadonlyArray<PushTarget.RegistryArgument>,
  file: Option.Option<LoadedFile>,
  machine: Machine
) {
  const beside = registries.flatMap(({ name, uri }) => (Option.isNone(name) ? [uri] : []))
  const keychain = Layer.mapError(machine.keychain, (error) => new UsageError({ problems: [String(error)] }))
  const context = yield* Layer.build(Layer.merge(layerAsking(asTheFileSays, file, beside, machine), keychain))
  const catalog = Context.get(context, RegistryCatalog)
  const byHost = new Map(
    registries.flatMap(({ name, uri }) =>
      Option.toArray(catalog.get(Option.getOrElse(name, () => hostKey(uri)))).map((found) => [uri.host, found] as const)
    )
  )
  return (others: ReadonlyArray<string>) =>
    Effect.provide(CredentialAnswers.make({ registries: byHost, others }), context)
})
