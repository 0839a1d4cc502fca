import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Finding from "../Finding.ts"
import { layerAsking } from "../internal/layerCatalog.ts"
import type { LoadedFile } from "../internal/loadFile.ts"
import { allOf } from "../internal/registryWords.ts"
import type { Machine } from "../Machine.ts"
import { asTheFileSays } from "../RegistryOptions.ts"
import type { Verification } from "../Verification.ts"
import { verifyAll } from "../VerifyRun.ts"

const check = "registry"

/** How long a registry may take to answer and to accept the credential. */
const patience = "15 seconds"

const nameOf = (registry: string, name: string | undefined): string =>
  name === undefined ? registry : `@${name} (${registry})`

const expiryOf = ({ expiry }: Verification): string => {
  if (expiry === undefined || expiry === "never") return ""
  return expiry === "unknown" ? ", whose end is not known" : `, which ends at ${DateTime.formatIso(expiry)}`
}

const identityOf = (result: Verification): string =>
  result.credential === undefined ? "without a credential" : `with ${result.credential}${expiryOf(result)}`

const findingOf = (result: Verification): Finding.Finding => {
  const { error, name, push, registry, repository } = result
  const named = nameOf(registry, name)
  const where = repository === undefined ? "" : ` to ${repository}`
  if (error === undefined) {
    return Finding.ok(check, `${named} lets us in ${identityOf(result)}. Push${where}: ${push}.`)
  }
  const { todo, what } = Finding.troubleOf(error)
  return Finding.failed(check, { what: `${named}, ${identityOf(result)}: ${what}`, todo })
}

/** Asks each registry of the file as `gantry verify --all` does, each for itself. */
export const registries = (file: Option.Option<LoadedFile>, machine: Machine) => {
  const subjects = allOf(file)
  if (subjects.length === 0) {
    return Effect.succeed([
      Finding.skipped(check, "The file names no registry to ask; `gantry verify HOST` asks any other.")
    ])
  }
  const ask = (subject: (typeof subjects)[number]) =>
    verifyAll([{ ...subject, repository: Option.none() }]).pipe(
      Effect.map((results) => results.map(findingOf)),
      Effect.timeoutTo({
        duration: patience,
        onSuccess: (findings) => findings,
        onTimeout: () => [
          Finding.failed(check, {
            what: `${nameOf(String(subject.uri), Option.getOrUndefined(subject.name))} does not answer within ${patience}.`,
            todo: "Check the network and the registry's health."
          })
        ]
      })
    )
  return Effect.forEach(subjects, ask, { concurrency: 16 }).pipe(
    Effect.map((findings) => findings.flat()),
    Effect.provide(layerAsking(asTheFileSays, file, [], machine)),
    Effect.catchAll(({ problems }) =>
      Effect.succeed(
        problems.map((what) => Finding.failed(check, { what, todo: "Correct it, and run `gantry doctor` again." }))
      )
    )
  )
}
