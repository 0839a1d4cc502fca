/**
 * Why a gantry file can not be used. Nothing here repeats a value of the file: people write secrets where none belongs.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * One thing that is wrong with a file: where (`line` and `column` count from 1, `path` is as in `registries.prod.uri`,
 * empty for the file itself), what was expected, and what to do.
 *
 * @since 0.1.0
 * @category models
 */
export const GantryFileProblem = Schema.Struct({
  line: Schema.Positive,
  column: Schema.Positive,
  path: Schema.String,
  message: Schema.String
}).annotations({ identifier: "GantryFileProblem" })

/**
 * @since 0.1.0
 * @category models
 */
export type GantryFileProblem = typeof GantryFileProblem.Type

/**
 * A file that is no gantry file, with everything that is wrong with it in the order of its lines.
 *
 * @since 0.1.0
 * @category errors
 */
export class GantryFileInvalid extends Schema.TaggedError<GantryFileInvalid>("gantry/GantryFileInvalid")(
  "GantryFileInvalid",
  { path: Schema.String, problems: Schema.NonEmptyArray(GantryFileProblem) }
) {
  get isRetryable(): boolean {
    return false
  }
  /** One line a problem, `file:line:column: path: what to do`, as editors and terminals link it. */
  get lines(): ReadonlyArray<string> {
    return this.problems.map(({ column, line, message, path }) =>
      [`${this.path}:${line}:${column}`, ...(path === "" ? [] : [path]), message].join(": ")
    )
  }
  get advice(): string {
    return "Correct the file at these places; `gantry config check` says when nothing is left."
  }
  override get message(): string {
    return [...this.lines, this.advice].join("\n")
  }
}

/**
 * There is no file where one was named.
 *
 * @since 0.1.0
 * @category errors
 */
export class GantryFileNotFound extends Schema.TaggedError<GantryFileNotFound>("gantry/GantryFileNotFound")(
  "GantryFileNotFound",
  { path: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Correct the path, or create the file."
  }
  override get message(): string {
    return `There is no file ${this.path}. ${this.advice}`
  }
}

/**
 * There is something at the path, but it can not be read as text.
 *
 * @since 0.1.0
 * @category errors
 */
export class GantryFileUnreadable extends Schema.TaggedError<GantryFileUnreadable>("gantry/GantryFileUnreadable")(
  "GantryFileUnreadable",
  { path: Schema.String, detail: Schema.String }
) {
  get isRetryable(): boolean {
    return false
  }
  get advice(): string {
    return "Name a text file that this user may read."
  }
  override get message(): string {
    return `${this.path} can not be read: ${this.detail}. ${this.advice}`
  }
}
