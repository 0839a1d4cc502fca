/**
 * What `gantry verify --list` does: ask each connector of the file which registries it may use.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ConnectorCatalog from "../connector/ConnectorCatalog.ts"
import { ConnectorError } from "../connector/ConnectorError.ts"
import type { ServiceConnector } from "../connector/ServiceConnector.ts"
import * as PushError from "../push/PushError.ts"
import { exitCode, type Outcome } from "./exitCode.ts"
import { layerConnectors } from "./internal/layerCatalog.ts"
import { type LoadedFile, loadFile } from "./internal/loadFile.ts"
import { untilSignal } from "./internal/untilSignal.ts"
import { type Listing, toJson } from "./Listing.ts"
import { text } from "./output/listing.ts"
import { Stdio } from "./Stdio.ts"
import { UsageError } from "./UsageError.ts"
import type { VerifyCommand } from "./VerifyRun.ts"

/** Runs the command to its exit code. */
export const run = Effect.fn("ListRun.run")(function* (command: VerifyCommand) {
  const { stdin, stdout } = yield* Stdio
  const file = yield* check(command)
  const ended = yield* untilSignal(Effect.provide(listAll, layerConnectors(file, stdin)))
  if (Either.isLeft(ended)) return exitCode({ _tag: "Interrupted", signal: ended.left }, [])
  const results = ended.right
  yield* stdout(command.settings.output === "json" ? toJson(results) : text(results))
  return exitCode({ _tag: "Finished" }, results.map(outcomeOf))
})

/** Everything that can be known to be wrong before anything is asked. */
const check = Effect.fnUntraced(function* ({ registries, settings }: VerifyCommand) {
  const file = yield* loadFile(settings)
  const problems = [
    ...(registries.length > 0 || settings.all || Option.isSome(settings.write)
      ? ["--list is of the file's connectors, and verifies no REGISTRY; leave out REGISTRY, --all and --write"]
      : []),
    ...nothingToList(file)
  ]
  return problems.length > 0 ? yield* new UsageError({ problems }) : Option.getOrThrow(file)
})

const nothingToList = (file: Option.Option<LoadedFile>): ReadonlyArray<string> =>
  Option.match(file, {
    onNone: () => ["--list: there is no gantry.yaml here or in a folder above; name one with --config FILE"],
    onSome: ({ connectors, path }) =>
      Object.keys(connectors).length === 0 ? [`--list: ${path} has no connectors; add one there`] : []
  })

/** How long a cloud may take to answer. */
const patience = "30 seconds"

const listAll = Effect.flatMap(ConnectorCatalog.ConnectorCatalog, ({ connectors }) =>
  Effect.forEach(connectors, ([name, connector]) => list(name, connector), { concurrency: 16 })
)

/** Asks one connector; that it can not tell is a result. */
const list = (name: string, { authMethod, resources, type }: ServiceConnector) =>
  resources.pipe(
    Effect.timeoutFail({
      duration: patience,
      onTimeout: () =>
        new ConnectorError({ connector: type, reason: "unavailable", detail: `no answer within ${patience}` })
    }),
    Effect.match({
      onSuccess: (registries) => ({ status: "listed" as const, registries }),
      onFailure: (error) => ({
        status: error.reason === "unsupported" ? ("unsupported" as const) : ("failed" as const),
        error: PushError.report(error)
      })
    }),
    Effect.map((found): Listing => ({ connector: name, type, method: authMethod, ...found }))
  )

const statusOf = { listed: "found", unsupported: "skipped", failed: "failed" } as const

const outcomeOf = ({ error, status }: Listing): Outcome =>
  error === undefined ? { status: statusOf[status] } : { status: statusOf[status], error }
