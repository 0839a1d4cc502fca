import type * as FileSystem from "@effect/platform/FileSystem"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as DockerConfig from "../../credential/DockerConfig.ts"
import * as DockerContext from "../../engine/DockerContext.ts"
import { DockerEngine, type EngineInfo, type EngineVersion } from "../../engine/DockerEngine.ts"
import type { EngineError } from "../../engine/EngineError.ts"
import * as Finding from "../Finding.ts"
import type { Machine } from "../Machine.ts"

/** How long an engine may take to say what it is. */
const patience = "10 seconds"

/** The engine that a push would use, and what it says of itself when it answers. */
export interface EngineProbe {
  readonly findings: ReadonlyArray<Finding.Finding>
  readonly info: Option.Option<EngineInfo>
}

interface Answer {
  readonly endpoint: string
  readonly origin: string
  readonly version: EngineVersion
  readonly info: EngineInfo
}

const notInTime: Finding.Trouble = {
  what: `The engine does not answer within ${patience}.`,
  todo: "Look at the engine's log, and restart it if it hangs."
}

const ask = (machine: Machine, options: Pick<DockerContext.DockerContext, "host" | "tls" | "origin"> | undefined) =>
  Effect.flatMap(DockerEngine, ({ endpoint, info, origin, version }) =>
    Effect.all({ endpoint: Effect.succeed(endpoint), origin: Effect.succeed(origin), version, info })
  ).pipe(
    Effect.provide(machine.engine(options ?? {})),
    Effect.mapError((error: EngineError) => Finding.troubleOf(error)),
    Effect.timeoutFail({ duration: patience, onTimeout: () => notInTime })
  )

const describe = ({ endpoint, info, origin, version }: Answer): string =>
  `The engine at ${endpoint} (from ${origin}) answers: version ${version.version}, API ${version.apiVersion}, ${version.os}/${version.architecture}, ${info.imageStore} image store.`

const PLATFORM_API = [1, 46] as const

/** https://docs.docker.com/reference/api/engine/version-history/#v146-api-changes */
const knowsPlatforms = (apiVersion: string): boolean => {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number)
  return major > PLATFORM_API[0] || (major === PLATFORM_API[0] && minor >= PLATFORM_API[1])
}

const answered = (answer: Answer): Finding.Finding =>
  knowsPlatforms(answer.version.apiVersion)
    ? Finding.ok("engine", describe(answer))
    : Finding.warning("engine", {
        what: `${describe(answer)} It is too old for --platform, which needs API ${PLATFORM_API.join(".")}.`,
        todo: "Update the engine, if you want to push one platform of several."
      })

const variable = (name: string) => Effect.orElseSucceed(Config.option(Config.nonEmptyString(name)), Option.none<string>)

/** What may choose the engine; the first that is given does. */
interface Chooser {
  readonly origin: string
  readonly given: Option.Option<string>
  readonly isContext: boolean
}

const choosers = Effect.fnUntraced(function* ({ context, host, origin = "the given choice" }: DockerContext.Choice) {
  const folder = yield* DockerConfig.folder
  const path = `${folder}/config.json`
  // What is wrong with the file itself is found elsewhere.
  const config = yield* Effect.option(DockerConfig.load(path, "docker"))
  const all: ReadonlyArray<Chooser> = [
    { origin, given: Option.fromNullable(context ?? host), isContext: context !== undefined },
    { origin: "DOCKER_HOST", given: yield* variable("DOCKER_HOST"), isContext: false },
    { origin: "DOCKER_CONTEXT", given: yield* variable("DOCKER_CONTEXT"), isContext: true },
    {
      origin: `currentContext in ${path}`,
      given: Option.flatMap(config, ({ currentContext }) => currentContext),
      isContext: true
    }
  ]
  return all.filter(({ given }) => Option.isSome(given))
})

/** A context that is named and not used now fails where it will be: its name is told, and stands in nobody's way. */
const unusedContext = (unused: Chooser, used: Chooser) =>
  Effect.match(DockerContext.resolve({ context: Option.getOrUndefined(unused.given), origin: unused.origin }), {
    onSuccess: () => [],
    onFailure: (error) =>
      error._tag === "EngineContextInvalid"
        ? [
            Finding.warning("context", {
              what: `${Finding.troubleOf(error).what} It is not used now: ${used.origin} goes before it.`,
              todo: error.advice
            })
          ]
        : []
  })

/** The contexts that are named where something else goes before them. */
const unusedContexts = (choice: DockerContext.Choice) =>
  Effect.flatMap(choosers(choice), ([used, ...others]) =>
    used === undefined
      ? Effect.succeed([])
      : Effect.forEach(
          others.filter(({ isContext }) => isContext),
          (unused) => unusedContext(unused, used)
        )
  ).pipe(
    Effect.map((findings) => findings.flat()),
    Effect.orElseSucceed(() => [])
  )

/** Finds the engine and asks it. When the context can not be used, the platform's own engine is asked instead. */
export const probeEngine = Effect.fnUntraced(function* (
  machine: Machine,
  choice: DockerContext.Choice
): Effect.fn.Return<EngineProbe, never, FileSystem.FileSystem> {
  const unused = yield* unusedContexts(choice)
  const resolved = yield* Effect.either(DockerContext.resolve(choice))
  if (Either.isRight(resolved)) {
    const context = resolved.right
    const found = Finding.ok("context", `The engine is at ${context.host}, from ${context.origin}.`)
    const asked = yield* Effect.either(ask(machine, context))
    return Either.match(asked, {
      onLeft: (trouble) => ({
        findings: [found, ...unused, Finding.failed("engine", trouble)],
        info: Option.none()
      }),
      onRight: (answer) => ({ findings: [found, ...unused, answered(answer)], info: Option.some(answer.info) })
    })
  }
  const error = resolved.left
  const trouble =
    error._tag === "EngineContextInvalid"
      ? Finding.troubleOf(error)
      : { what: String(error).trim(), todo: "Correct this variable of the environment." }
  const instead = yield* Effect.either(ask(machine, undefined))
  return {
    findings: [
      Finding.failed("context", trouble),
      ...unused,
      Either.match(instead, {
        onLeft: ({ todo, what }) =>
          Finding.failed("engine", { what: `The default engine, asked in the context's place: ${what}`, todo }),
        onRight: (answer) =>
          Finding.warning("engine", {
            what: `${describe(answer)} It was asked in the place of the context that can not be used.`,
            todo: "Leave the context out to use this engine."
          })
      })
    ],
    info: Option.none()
  }
})
