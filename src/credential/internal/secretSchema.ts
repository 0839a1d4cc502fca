import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as AST from "effect/SchemaAST"

interface Mismatch {
  readonly field?: string
  readonly expected: string
}

const expectedBy = (ast: AST.Annotated): string =>
  Option.getOrElse(
    Option.orElse(AST.getDescriptionAnnotation(ast), () => AST.getTitleAnnotation(ast)),
    () => String(ast)
  )

const mismatchAt = (path: ReadonlyArray<PropertyKey>, expected: string): Mismatch =>
  path.length === 0 ? { expected } : { field: path.map(String).join("."), expected }

const mismatchUnder = (path: ReadonlyArray<PropertyKey>, issue: ParseResult.ParseIssue): Mismatch => {
  switch (issue._tag) {
    case "Pointer":
      return mismatchUnder([...path, ...Arr.ensure(issue.path)], issue.issue)
    case "Composite":
      return mismatchUnder(path, "_tag" in issue.issues ? issue.issues : issue.issues[0])
    case "Refinement":
    case "Transformation":
      return mismatchUnder(path, issue.issue)
    case "Unexpected":
      return mismatchAt(path, "absent")
    case "Missing":
      return mismatchAt(path, "present")
    case "Type":
    case "Forbidden":
      return mismatchAt(path, expectedBy(issue.ast))
  }
}

/**
 * The first field a schema refused and what it expected there, taken from the issue's path and the schema only: the
 * issue's own messages quote the value.
 */
export const firstMismatch = (issue: ParseResult.ParseIssue): Mismatch => mismatchUnder([], issue)
