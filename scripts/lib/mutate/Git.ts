/** The repository's state as worktrees to break, and what its last commits changed. */
import { execFile } from "node:child_process"
import { copyFile, symlink } from "node:fs/promises"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { temporaryFolder } from "../temporaryFolder.ts"
import { MutateError } from "./MutateError.ts"

const git = (
  parameters: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly index?: string } = {}
): Effect.Effect<string, MutateError> =>
  Effect.tryPromise({
    try: async () => {
      const { stdout } = await promisify(execFile)("git", parameters, {
        cwd: options.cwd,
        env: options.index === undefined ? process.env : { ...process.env, GIT_INDEX_FILE: options.index },
        maxBuffer: 64 * 1024 * 1024
      })
      return stdout.trim()
    },
    catch: (error) => new MutateError({ message: error instanceof Error ? error.message : String(error) })
  })

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

const temporary = temporaryFolder("mutate")

/** The files that differ from HEAD, untracked ones included. */
export const uncommitted: Effect.Effect<ReadonlyArray<string>, MutateError> = Effect.map(
  git(["status", "--porcelain", "--untracked-files=all"]),
  lines
)

/** A commit, on no branch, of the working tree as it stands. */
export const snapshot: Effect.Effect<string, MutateError> = Effect.scoped(
  Effect.gen(function* () {
    const index = join(yield* temporary, "index")
    const own = yield* git(["rev-parse", "--git-path", "index"])
    yield* Effect.promise(() => copyFile(own, index))
    yield* git(["add", "--all"], { index })
    const tree = yield* git(["write-tree"], { index })
    const author = ["-c", "user.name=gantry", "-c", "user.email=gantry@localhost"]
    return yield* git([...author, "commit-tree", tree, "-p", "HEAD", "-m", "The working tree"])
  })
)

/** A folder of its own that holds a commit, until the scope closes. */
export const worktree = (commit: string): Effect.Effect<string, MutateError, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = join(yield* temporary, "gantry")
    yield* Effect.acquireRelease(git(["worktree", "add", "--quiet", "--detach", folder, commit]), () =>
      Effect.ignore(git(["worktree", "remove", "--force", folder]))
    )
    yield* Effect.promise(() => symlink(resolve("node_modules"), join(folder, "node_modules")))
    return folder
  })

/** Fails when the patch does not fit. */
export const apply = (folder: string, patch: string): Effect.Effect<void, MutateError> =>
  Effect.asVoid(git(["apply", patch], { cwd: folder }))

export const unapply = (folder: string, patch: string): Effect.Effect<void, MutateError> =>
  Effect.asVoid(git(["apply", "--reverse", patch], { cwd: folder }))

/** How many commits a recent change may lie back. */
const recent = 5

/** What the last commits changed; of a merge, all that it brought. */
export const recentlyChanged: Effect.Effect<ReadonlySet<string>, MutateError> = Effect.map(
  git(["log", "--first-parent", "--diff-merges=first-parent", `-${recent}`, "--name-only", "--format="]),
  (text) => new Set(lines(text))
)

/** Another number for every commit. A shallow clone does not know how many came before: it takes the hash. */
export const turn: Effect.Effect<number, MutateError> = Effect.gen(function* () {
  const isShallow = yield* git(["rev-parse", "--is-shallow-repository"])
  return isShallow === "true"
    ? Number.parseInt((yield* git(["rev-parse", "HEAD"])).slice(0, 8), 16)
    : Number(yield* git(["rev-list", "--count", "HEAD"]))
})
