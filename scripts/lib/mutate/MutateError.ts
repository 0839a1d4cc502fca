import * as Data from "effect/Data"

/** The mutations could not be run: git, the worktree or the test runner did not do what was asked. */
export class MutateError extends Data.TaggedError("MutateError")<{ readonly message: string }> {}
