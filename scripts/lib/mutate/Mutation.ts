/** A patch that breaks gantry on purpose, and what has to notice. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** How a catcher is run: by vitest, by vitest against the built command, by tstyche, or as a program of its own. */
export type CatcherKind = "unit" | "live" | "types" | "program"

/** One file that has to notice; with `names`, only its tests whose names contain one of them are run with the patch. */
export interface Catcher {
  readonly kind: CatcherKind
  readonly file: string
  readonly names: ReadonlyArray<string>
}

export interface Mutation {
  readonly name: string
  readonly patch: string
  readonly catchers: ReadonlyArray<Catcher>
  /** The files that it changes. */
  readonly changes: ReadonlyArray<string>
}

const kindOf = (file: string): CatcherKind => {
  if (file.startsWith("scripts/")) return "program"
  if (file.endsWith(".tst.ts")) return "types"
  return file.startsWith("test/live/") ? "live" : "unit"
}

/** `test/a.test.ts (a name, another), test/types/b.tst.ts scripts/lib/checkRooms.ts` */
const catchersIn = (header: string): ReadonlyArray<Catcher> =>
  [...header.matchAll(/((?:test|scripts)\/[^\s,()]+\.ts)(?:\s*\(([^)]*)\))?/g)].map(([, file = "", names = ""]) => ({
    kind: kindOf(file),
    file,
    names: names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
  }))

/** A patch's first line names its catchers; one that names none has none. */
export const parse = (name: string, patch: string, text: string): Mutation => ({
  name,
  patch,
  catchers: catchersIn(/^# caught by: (.+)$/m.exec(text)?.[1] ?? ""),
  changes: [
    ...new Set(
      [...text.matchAll(/^(?:--- a|\+\+\+ b)\/(\S+)/gm)].flatMap(([, file]) => (file === undefined ? [] : file))
    )
  ]
})

/** Every patch of a folder, by name. */
export const readAll = (folder: string): ReadonlyArray<Mutation> =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".patch"))
    .map((file) => {
      const patch = join(folder, file)
      return parse(file.slice(0, -".patch".length), patch, readFileSync(patch, "utf8"))
    })
