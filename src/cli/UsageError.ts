/**
 * What is wrong with a command line: everything at once, before anything is sent.
 */
import * as Data from "effect/Data"

/** One line a problem; each says what to do. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly problems: ReadonlyArray<string> }> {
  override get message(): string {
    return this.problems.join("\n")
  }
}
