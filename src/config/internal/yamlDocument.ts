import * as Arr from "effect/Array"
import * as Either from "effect/Either"
import type { ErrorCode, Node, Scalar, YAMLError } from "yaml"
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml"
import type { GantryFileProblem } from "../GantryFileError.ts"

/** A line and a column, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** Where a value stands: its key, when it has one, itself, and what it contains. */
export interface Place {
  readonly key: Position
  readonly value: Position
  readonly children: ReadonlyMap<string, Place>
}

/** A file's content as plain data, and where each piece of it stands. */
export interface YamlDocument {
  readonly value: unknown
  readonly place: Place
}

/** The reader's own messages quote the file, which may hold a secret where none belongs. */
const explanations: { readonly [Code in ErrorCode]: string } = {
  ALIAS_PROPS: "an alias (*name) can not have an anchor or a tag of its own; remove it",
  BAD_ALIAS: "this anchor or alias has no valid name; write &name and *name",
  BAD_COLLECTION_TYPE: "this tag does not fit what it stands at; remove it",
  BAD_DIRECTIVE: "this directive is not known; remove the line that begins with %",
  BAD_DQ_ESCAPE: "this escape is not known between double quotes; write \\\\ for a backslash, or use single quotes",
  BAD_INDENT:
    "the indentation does not fit the lines before, or a bracket is not closed; align this line with its neighbours",
  BAD_PROP_ORDER: "an anchor or a tag stands in the wrong place; put it directly before its value",
  BAD_SCALAR_START: 'a text can not begin with @, ` or % unless quoted; quote it, as in "@prod/app"',
  BLOCK_AS_IMPLICIT_KEY:
    "a key and its value stand where one value belongs; put the inner key on a line of its own, or quote the text",
  BLOCK_IN_FLOW: "a list or mapping within [ ] or { } must be written with brackets as well",
  DUPLICATE_KEY: "this key is here twice; remove one of them",
  IMPOSSIBLE: "this can not be read; compare it with the lines around",
  KEY_OVER_1024_CHARS: "this key is longer than 1,024 characters; was a colon or a quote left out?",
  MISSING_CHAR:
    "a character is missing here: a colon and a space after a key, a comma, or the closing quote or bracket",
  MULTILINE_IMPLICIT_KEY: "a key must be on one line; was a colon or a quote left out?",
  MULTIPLE_ANCHORS: "one value has several anchors; keep one",
  MULTIPLE_DOCS: "the file holds several documents; keep what stands before the line ---",
  MULTIPLE_TAGS: "one value has several tags; remove them",
  NON_STRING_KEY: "a key must be text; quote it",
  RESOURCE_EXHAUSTION: "lists and mappings are nested too deeply",
  TAB_AS_INDENT: "a tab indents this line; use spaces",
  TAG_RESOLVE_FAILED: "this tag (!name) is not known here; remove it",
  UNEXPECTED_TOKEN: "this can not stand here; quote the text, or check the brackets, colons and dashes around"
}

const START: Position = { line: 1, column: 1 }

/**
 * Turns nodes into data and places. An alias gives what its anchor gave before it, so that no document refers to itself;
 * one without an anchor before it goes to `unresolved`.
 */
const makeReader = (options: {
  readonly positionAt: (offset: number) => Position
  readonly unresolved: (at: Position) => void
}) => {
  const anchored = new Map<string, YamlDocument>()

  const collect = (value: Position, entries: ReadonlyArray<readonly [name: string, child: YamlDocument]>): Place => ({
    key: value,
    value,
    children: new Map(entries.map(([name, child]) => [name, child.place]))
  })

  const readContent = (node: Node, at: Position): YamlDocument => {
    if (isMap<Scalar<string>, Node | null>(node)) {
      const entries = node.items.map(({ key, value }) => {
        const keyAt = positionOf(key, at)
        return [key.value, readNode(value, keyAt)] as const
      })
      return {
        value: Object.fromEntries(entries.map(([name, child]) => [name, child.value])),
        place: collect(at, entries)
      }
    }
    if (isSeq<Node | null>(node)) {
      const entries = node.items.map((item, index) => [String(index), readNode(item, positionOf(item, at))] as const)
      return { value: entries.map(([, child]) => child.value), place: collect(at, entries) }
    }
    if (isAlias(node)) {
      const known = anchored.get(node.source)
      if (known === undefined) options.unresolved(at)
      return known ?? { value: null, place: collect(at, []) }
    }
    return { value: isScalar(node) ? node.value : null, place: collect(at, []) }
  }

  const positionOf = (node: Node | null, otherwise: Position): Position =>
    node?.range == null ? otherwise : options.positionAt(node.range[0])

  /** `key` is where the value's key stands; an item of a list and the whole file have none, and stand for themselves. */
  const readNode = (node: Node | null, key: Position): YamlDocument => {
    if (node === null) return { value: null, place: collect(key, []) }
    const { place, value } = readContent(node, positionOf(node, key))
    const read = { value, place: { ...place, key } }
    if (!isAlias(node) && node.anchor !== undefined) anchored.set(node.anchor, read)
    return read
  }
  return readNode
}

/** The reader stops within what is nested too deeply, and then finds the rest of it wrong. */
const relevant = (errors: ReadonlyArray<YAMLError>): ReadonlyArray<YAMLError> => {
  const exhausted = errors.filter(({ code }) => code === "RESOURCE_EXHAUSTION").slice(0, 1)
  const once = new Map(errors.map((error) => [`${error.code} ${error.pos[0]}`, error]))
  return exhausted.length > 0 ? exhausted : Array.from(once.values())
}

/**
 * Reads YAML 1.2, of which JSON is a part, or says everything that is wrong with it.
 */
export const readYaml = (text: string): Either.Either<YamlDocument, Arr.NonEmptyArray<GantryFileProblem>> => {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: "error"
  })
  const positionAt = (offset: number): Position => {
    const { col, line } = lineCounter.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const problems = relevant([...document.errors, ...document.warnings]).map(
    ({ code, pos }): GantryFileProblem => ({ ...positionAt(pos[0]), path: "", message: explanations[code] })
  )
  if (Arr.isNonEmptyArray(problems)) return Either.left(problems)

  const readNode = makeReader({
    positionAt,
    unresolved: (at) =>
      problems.push({ ...at, path: "", message: "no anchor (&name) of this name stands before this alias" })
  })
  const read = readNode(document.contents, START)
  return Arr.isNonEmptyArray(problems) ? Either.left(problems) : Either.right(read)
}
