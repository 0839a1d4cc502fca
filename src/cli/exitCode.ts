/**
 * The one function from what a command did to its exit code.
 */
import type { ErrorReport, PushError } from "../push/PushError.ts"
import { DEFECT, isFailure, type Result, type Status } from "./Report.ts"

/** The signals that end a run early. */
export type Signal = "SIGINT" | "SIGTERM"

/** How a command ended, apart from its results. */
export type End =
  /** Everything planned was tried. */
  | { readonly _tag: "Finished" }
  /** Arguments, file or plan are wrong; nothing was sent. */
  | { readonly _tag: "Misused" }
  | { readonly _tag: "Interrupted"; readonly signal: Signal }
  /** A defect of gantry. */
  | { readonly _tag: "Crashed" }
  /** A result, a report or an event file that was asked for, or what later steps of CI rely on, could not be written. */
  | { readonly _tag: "Unwritten" }

/** What became of one thing that a command did: a push, or a question to a registry. */
export interface Outcome extends Pick<Result, "error"> {
  readonly status: Status | "verified" | "found"
}

type PushErrorTag = PushError["_tag"]

const engine: ReadonlySet<string> = new Set<PushErrorTag>(["EngineUnavailable", "EngineDisconnected"])

const authentication: ReadonlySet<string> = new Set<PushErrorTag>([
  "RegistryUnauthorized",
  "RegistryDenied",
  "SecretNotFound",
  "SecretInvalid",
  "CredentialHelperError",
  "DockerConfigError",
  "CredentialHostMismatch",
  "ConnectorError"
])

const signalCode: Record<Signal, number> = { SIGINT: 130, SIGTERM: 143 }

/**
 * The exit code of a command that ended so and left these results: the first that applies of 70 (defect), 130 and 143
 * (signal), 2 (misuse), 0 (all well), 4 (the engine), 3 (authentication), 5 (worth trying again), 1 (anything else).
 */
export const exitCode = (end: End, results: ReadonlyArray<Outcome>): number => {
  const failures = results.filter(isFailure)
  const everyFailure = (applies: (error: ErrorReport) => boolean) =>
    failures.length > 0 && failures.every(({ error }) => error !== undefined && applies(error))

  if (end._tag === "Crashed" || failures.some(({ error }) => error?._tag === DEFECT)) return 70
  if (end._tag === "Interrupted") return signalCode[end.signal]
  if (end._tag === "Misused") return 2
  if (end._tag === "Finished" && failures.length === 0 && !results.some(({ status }) => status === "cancelled"))
    return 0
  if (everyFailure((error) => engine.has(error._tag))) return 4
  const isPushed = results.some(({ status }) => status === "pushed")
  if (!isPushed && everyFailure((error) => authentication.has(error._tag))) return 3
  if (everyFailure((error) => error.transient)) return 5
  return 1
}
