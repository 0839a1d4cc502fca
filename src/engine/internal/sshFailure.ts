import type { EngineUnavailable } from "../EngineError.ts"
import { scrub } from "./scrub.ts"

/** How an ssh ended that gave no connection: its exit code, or what kept it from running, and what it wrote to stderr. */
export interface SshEnd {
  readonly status: number | string
  readonly stderr: string
}

/** What can pass by itself, and what of the engine behind a good connection ssh reports; all else is "ssh". */
const reasons: ReadonlyArray<readonly [RegExp, EngineUnavailable["reason"]]> = [
  [/Could not resolve hostname/i, "dns"],
  [/timed out|Timeout, server/i, "timeout"],
  [/Connection refused|kex_exchange_identification|Connection (?:reset|closed) by|Broken pipe/i, "refused"],
  [/Cannot connect to the Docker daemon|dial unix.*(?:no such file|connection refused)/i, "not-found"],
  [/dial unix.*permission denied|permission denied while trying to connect to the Docker daemon/i, "permission"]
]

/** The banner around a changed host key is six lines of it. */
const linesOf = (stderr: string): ReadonlyArray<string> =>
  stderr
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => /[^@\s]/.test(line))
    .slice(-12)

const words = ({ status, stderr }: SshEnd): string => {
  if (status === "ENOENT") return "the program ssh is not on the PATH"
  const said = linesOf(stderr).join(" ").replace(/\.$/, "")
  if (said === "") return `ssh ended (${status}) without a word`
  return `ssh ended (${status}) and said: ${scrub(said)}`
}

const isSignal = (status: SshEnd["status"]): boolean => String(status).startsWith("SIG")

/** A connection that ssh could not make; the error with which it closes. */
export class SshFailure extends Error {
  readonly reason: EngineUnavailable["reason"]

  constructor(end: SshEnd) {
    super(words(end))
    this.name = "SshFailure"
    const said = reasons.find(([pattern]) => pattern.test(end.stderr))?.[1]
    this.reason = said ?? (isSignal(end.status) ? "other" : "ssh")
  }
}
