/**
 * What `gantry verify` does: ask each registry, without an engine, whether it accepts the credential.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Expiry } from "../credential/Credential.ts"
import { RegistryDenied, RegistryError } from "../distribution/RegistryError.ts"
import * as PushError from "../push/PushError.ts"
import type * as PushTarget from "../push/PushTarget.ts"
import * as ImageReference from "../reference/ImageReference.ts"
import type { AuthenticationError } from "../registry/Authentication.ts"
import type { ContainerRegistry } from "../registry/ContainerRegistry.ts"
import { RegistryCatalog } from "../registry/RegistryCatalog.ts"
import type { RegistryCheck } from "../registry/RegistryCheck.ts"
import { exitCode } from "./exitCode.ts"
import { connectionProblems } from "./internal/connectionProblems.ts"
import { hostKey, layerAsking } from "./internal/layerCatalog.ts"
import { type LoadedFile, loadFile } from "./internal/loadFile.ts"
import { allOf, isSameRegistry, readRegistryWords } from "./internal/registryWords.ts"
import { untilSignal } from "./internal/untilSignal.ts"
import type { Machine } from "./Machine.ts"
import { expected } from "./OptionTable.ts"
import { causes, text } from "./output/verification.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"
import { toJson, type Verification } from "./Verification.ts"
import type { VerifySettings } from "./VerifyOptions.ts"

/** What the command line asks for. */
export interface VerifyCommand {
  readonly registries: ReadonlyArray<string>
  readonly settings: VerifySettings
}

/** Runs the command to its exit code. */
export const run = Effect.fn("VerifyRun.run")(function* (command: VerifyCommand, machine: Machine) {
  const { settings } = command
  const { stderr, stdout } = yield* Stdio
  const { file, subjects } = yield* check(command)
  const others = subjects.flatMap(({ name, uri }) => (Option.isNone(name) ? [uri] : []))
  const ended = yield* untilSignal(Effect.provide(verifyAll(subjects), layerAsking(settings, file, others, machine)))
  if (Either.isLeft(ended)) return exitCode({ _tag: "Interrupted", signal: ended.left }, [])
  const results = ended.right
  yield* stdout(settings.output === "json" ? toJson(results) : text(results))
  if (settings.verbose) yield* stderr(causes(results))
  return exitCode({ _tag: "Finished" }, results)
})

/** A registry to verify, and the repository in it to which an upload shall be opened. */
export interface Subject extends PushTarget.RegistryArgument {
  readonly repository: Option.Option<string>
}

/** Everything that can be known to be wrong before anything is asked. */
const check = Effect.fnUntraced(function* ({ registries: words, settings }: VerifyCommand) {
  const file = yield* loadFile(settings)
  const [misnamed, named] = readRegistryWords(words, file)
  const registries = Arr.dedupeWith([...named, ...(settings.all ? allOf(file) : [])], isSameRegistry)
  const [unwritable, subjects] = Arr.partitionMap(registries, (registry) => subjectOf(registry, settings.write))
  const hosts = Arr.dedupe(registries.map(({ uri }) => uri.host))
  const problems = [
    ...misnamed,
    ...unwritable,
    ...(misnamed.length === 0 && registries.length === 0 ? [nothingToVerify(settings, file)] : []),
    ...connectionProblems(settings, hosts, file)
  ]
  return problems.length > 0 ? yield* new UsageError({ problems }) : { file, subjects }
})

/** `--write` names a repository below each registry's own path, as `@NAME/repository` does. */
const subjectOf = (
  registry: PushTarget.RegistryArgument,
  write: Option.Option<string>
): Either.Either<Subject, string> =>
  Option.match(write, {
    onNone: () => Either.right({ ...registry, repository: Option.none() }),
    onSome: (name) =>
      ImageReference.parse(`${registry.uri.name}/${name}`).pipe(
        Either.mapLeft((error) => `--write: ${error.message}`),
        Either.filterOrLeft(
          ({ digest, tag }) => Option.isNone(tag) && Option.isNone(digest),
          () => `--write: ${expected("a repository alone, without a tag or a digest", name)}`
        ),
        Either.map(({ repository }) => ({ ...registry, repository: Option.some(repository) }))
      )
  })

const nothingToVerify = ({ all }: VerifySettings, file: Option.Option<LoadedFile>): string => {
  if (!all) return "verify needs a REGISTRY, or --all for those of the configuration file"
  return Option.match(file, {
    onNone: () => "--all: there is no gantry.yaml here or in a folder above; name one with --config FILE",
    onSome: ({ path }) => `--all: ${path} has no registries; name a host, or add one there`
  })
}

/** How many registries are asked at once. */
const width = 16

/** Asks each registry, of the catalog that was made for them. */
export const verifyAll = (subjects: ReadonlyArray<Subject>) =>
  Effect.flatMap(RegistryCatalog, (catalog) =>
    Effect.forEach(
      subjects,
      ({ name, repository, uri }) => {
        // The catalog was made of these very registries.
        const registry = Option.getOrThrow(catalog.get(Option.getOrElse(name, () => hostKey(uri))))
        const about = { registry: String(uri), ...(Option.isSome(name) ? { name: name.value } : {}) }
        return Effect.map(verify(registry, repository), (proved): Verification => ({ ...about, ...proved }))
      },
      { concurrency: width }
    )
  )

type Proved = Omit<Verification, "registry" | "name">

/** Asks one registry; that it can not be verified is a result. With a repository an upload is opened there. */
const verify = Effect.fnUntraced(function* (registry: ContainerRegistry, repository: Option.Option<string>) {
  const resolved = yield* Effect.either(registry.credentials)
  if (Either.isLeft(resolved)) return failed(resolved.left, {})
  const known = Option.match(resolved.right, {
    onNone: () => ({}),
    onSome: ({ credential: { expiry }, origin }) => ({ credential: origin, expiry: expiryOf(expiry) })
  })
  const checked = yield* Effect.either(
    Option.match(repository, {
      onNone: () => registry.verify,
      onSome: (name) => registry.verifyPush(name, "upload")
    })
  )
  return Either.match(checked, {
    onLeft: (error) => failed(error, { ...known, ...answered(error) }),
    onRight: (check) => proved(check, known)
  })
})

const expiryOf = Expiry.$match({
  Never: () => "never" as const,
  Unknown: () => "unknown" as const,
  At: ({ at }) => at
})

/** A registry that can not be reached does not answer; one whose credential is not to be had was not asked. */
const answered = ({ _tag }: AuthenticationError | RegistryError): Pick<Proved, "answers"> =>
  isRegistryErrorTag(_tag) ? { answers: _tag !== "RegistryUnavailable" } : {}

const registryErrorTags: ReadonlySet<string> = new Set(RegistryError.members.map(({ _tag }) => _tag))

const isRegistryErrorTag = (tag: string): boolean => registryErrorTags.has(tag)

const failed = (error: AuthenticationError | RegistryError, known: Partial<Proved>): Proved => ({
  ...known,
  status: "failed",
  push: "unknown",
  error: PushError.report(error)
})

/** A repository that was named is one to push to, so a credential that may not push there does not work. */
const proved = ({ push, registry, repository }: RegistryCheck, known: Partial<Proved>): Proved => {
  const found = {
    ...known,
    answers: true,
    ...(Option.isSome(repository) ? { repository: repository.value } : {}),
    push
  }
  return push === "refused"
    ? {
        ...found,
        status: "failed",
        error: PushError.report(
          new RegistryDenied({ registry, repository: Option.getOrUndefined(repository), text: "" })
        )
      }
    : { ...found, status: "verified" }
}
