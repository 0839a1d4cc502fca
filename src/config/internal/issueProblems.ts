import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { nearest } from "../../reference/internal/nearest.ts"
import type { GantryFileProblem } from "../GantryFileError.ts"
import type { Place, Position } from "./yamlDocument.ts"

type Path = ReadonlyArray<PropertyKey>

/** What is known on the way down to an issue: its path, the mapping around it, what the outermost schema there expects. */
interface Surroundings {
  readonly path: Path
  readonly mapping: Option.Option<AST.TypeLiteral>
  readonly expected: Option.Option<string>
}

/** A problem before its place is looked up: that of the value at `path`, or of the key before it. */
interface Complaint {
  readonly path: Path
  readonly shown: Path
  readonly at: "key" | "value"
  readonly message: string
  /** Whether it explains another complaint, as a misspelt key does a missing one. */
  readonly explains: boolean
}

type Complaints = Arr.NonEmptyReadonlyArray<Complaint>

type WithSchema = Exclude<ParseResult.ParseIssue, ParseResult.Pointer | ParseResult.Unexpected | ParseResult.Missing>

const descriptionOf = (ast: AST.AST): Option.Option<string> =>
  Option.orElse(AST.getDescriptionAnnotation(ast), () =>
    AST.isTransformation(ast) || AST.isRefinement(ast) ? descriptionOf(ast.from) : Option.none()
  )

const enter = (around: Surroundings, path: ParseResult.Path): Surroundings => ({
  path: [...around.path, ...Arr.ensure(path)],
  mapping: around.mapping,
  expected: Option.none()
})

const describe = (around: Surroundings, ast: AST.AST): Surroundings => ({
  path: around.path,
  mapping: AST.isTypeLiteral(ast) ? Option.some(ast) : around.mapping,
  expected: Option.orElse(around.expected, () => descriptionOf(ast))
})

const hint = ({ actual, ast }: WithSchema): string => {
  if (actual === null) return "; nothing stands here"
  return AST.isStringKeyword(ast) && (typeof actual === "number" || typeof actual === "boolean")
    ? "; quote it, or YAML reads it as something else than text"
    : ""
}

const complain = (around: Surroundings, message: string): Complaint => ({
  path: around.path,
  shown: around.path,
  at: "value",
  message,
  explains: false
})

/** Refuses a value with the schema's own message, else with what is expected there: neither repeats the value. */
const refuseValue = (issue: WithSchema, around: Surroundings): Complaint =>
  complain(
    around,
    Option.flatMap(AST.getMessageAnnotation(issue.ast), (message) =>
      Option.liftPredicate(Predicate.isString)(message(issue))
    ).pipe(
      Option.getOrElse(() => `expected ${Option.getOrElse(around.expected, () => "something else")}${hint(issue)}`)
    )
  )

const knownKeys = (mapping: AST.TypeLiteral): ReadonlyArray<string> =>
  mapping.propertySignatures.map(({ name }) => name).filter(Predicate.isString)

/** Repeats a key only when it is a known word or a misspelt one: where a secret belongs, a key may be the secret. */
const refuseKey = (around: Surroundings): Complaint => {
  const key = String(around.path.at(-1))
  const known = Option.match(around.mapping, { onNone: () => [], onSome: knownKeys })
  const meant = nearest(key, known)
  const isWord = Option.isSome(meant)
  return {
    ...complain(
      around,
      Option.getOrElse(nameForm(around), () => unknownKey(meant, known))
    ),
    shown: isWord ? around.path : around.path.slice(0, -1),
    at: "key",
    explains: isWord
  }
}

const unknownKey = (meant: Option.Option<string>, known: ReadonlyArray<string>): string => {
  const keys = `known here: ${known.join(", ")}`
  return Option.match(meant, {
    onNone: () => `unknown key; ${keys}`,
    onSome: (key) => `unknown key; did you mean ${key}? (${keys})`
  })
}

/** What a key must be in a mapping from names. */
const nameForm = ({ mapping }: Surroundings): Option.Option<string> =>
  Option.flatMap(mapping, ({ indexSignatures: [names] }) =>
    names === undefined
      ? Option.none()
      : Option.map(AST.getDescriptionAnnotation(names.parameter), (form) => `this key must be ${form}`)
  )

const missing = (issue: ParseResult.Missing, around: Surroundings): Complaint => {
  const expected = Option.match(descriptionOf(issue.ast.type), {
    onNone: () => "",
    onSome: (words) => `; write ${words}`
  })
  return { ...complain(around, `is missing${expected}`), at: "key" }
}

const inner = ({ issues }: ParseResult.Composite): Arr.NonEmptyReadonlyArray<ParseResult.ParseIssue> =>
  "_tag" in issues ? [issues] : issues

/** Whether a member of a union was tried on data of another form, as a list where it wants text. */
const isOtherForm = (issue: ParseResult.ParseIssue): boolean => {
  switch (issue._tag) {
    case "Type":
      return issue.message === undefined
    case "Transformation":
      return issue.kind === "Encoded" && isOtherForm(issue.issue)
    case "Refinement":
      return issue.kind === "From" && isOtherForm(issue.issue)
    default:
      return false
  }
}

const weight = (complaints: Complaints): number => complaints.filter(({ explains }) => !explains).length

/** Of a union's members, the one that was meant: of the same form, and less wrong than every other one. */
const complaintsOfUnion = (issue: ParseResult.Composite, around: Surroundings): Complaints => {
  const [best, second] = inner(issue)
    .filter((member) => !isOtherForm(member))
    .map((member) => complaintsOf(member, { ...around, expected: Option.none() }))
    .sort((left, right) => weight(left) - weight(right))
  return best !== undefined && (second === undefined || weight(best) < weight(second))
    ? best
    : [refuseValue(issue, around)]
}

const complaintsOf = (issue: ParseResult.ParseIssue, surroundings: Surroundings): Complaints => {
  switch (issue._tag) {
    case "Pointer":
      return complaintsOf(issue.issue, enter(surroundings, issue.path))
    case "Unexpected":
      return [refuseKey(surroundings)]
    case "Missing":
      return [missing(issue, surroundings)]
  }
  const around = describe(surroundings, issue.ast)
  switch (issue._tag) {
    case "Composite":
      return AST.isUnion(issue.ast)
        ? complaintsOfUnion(issue, around)
        : Arr.flatMap(inner(issue), (part) => complaintsOf(part, around))
    case "Refinement":
    case "Transformation":
      return complaintsOf(issue.issue, around)
    case "Type":
    case "Forbidden":
      return [issue.message === undefined ? refuseValue(issue, around) : complain(around, issue.message)]
  }
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/

const showPath = (path: Path): string =>
  path.reduce<string>((shown, key) => {
    if (typeof key === "number") return `${shown}[${key}]`
    const text = String(key)
    if (!plainKey.test(text)) return `${shown}[${JSON.stringify(text)}]`
    return shown === "" ? text : `${shown}.${text}`
  }, "")

const positionOf = (root: Place, path: Path, at: "key" | "value"): Position => {
  let place = root
  for (const key of path) {
    const child = place.children.get(String(key))
    if (child === undefined) return place.key
    place = child
  }
  return place[at]
}

const byPosition: Order.Order<GantryFileProblem> = Order.combine(
  Order.mapInput(Order.number, ({ line }) => line),
  Order.mapInput(Order.number, ({ column }) => column)
)

/** What a schema refused, as problems of the file in the order of its lines. */
export const issueProblems = (
  issue: ParseResult.ParseIssue,
  place: Place
): Arr.NonEmptyReadonlyArray<GantryFileProblem> =>
  Arr.sort(
    Arr.map(
      complaintsOf(issue, { path: [], mapping: Option.none(), expected: Option.none() }),
      ({ at, message, path, shown }) => ({ ...positionOf(place, path, at), path: showPath(shown), message })
    ),
    byPosition
  )
