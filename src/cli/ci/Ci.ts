/**
 * What a run tells the CI service that it is a part of, once it has ended.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { variable } from "../internal/variable.ts"
import type { Report } from "../Report.ts"
import { gitHubActions } from "./GitHubActions.ts"

export interface Ci {
  /** The lines for stderr in which the service looks for failures. */
  readonly annotations: (report: Report) => ReadonlyArray<string>
  /** Leaves the report where the service and later steps look for it; why what those rely on could not be written. */
  readonly publish: (report: Report) => Effect.Effect<Option.Option<string>, never, FileSystem.FileSystem>
}

const none: Ci = { annotations: () => [], publish: () => Effect.succeedNone }

/** https://docs.github.com/en/actions/reference/workflows-and-actions/variables */
const isGitHubActions = Effect.map(variable("GITHUB_ACTIONS"), (text) => text === "true")

const services = {
  auto: Effect.if(isGitHubActions, { onTrue: () => gitHubActions, onFalse: () => Effect.succeed(none) }),
  github: gitHubActions,
  none: Effect.succeed(none)
}

/** The service that `--ci` names. */
export const make = (mode: keyof typeof services): Effect.Effect<Ci> => services[mode]
