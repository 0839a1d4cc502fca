/**
 * A command: what people see of it, and what it does.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import type * as Effect from "effect/Effect"
import type { Machine } from "./Machine.ts"
import type { Given, OptionTable } from "./OptionTable.ts"
import type { Signals } from "./Signals.ts"
import type { Stdio } from "./Stdio.ts"
import type { UsageError } from "./UsageError.ts"

/** What stands beside a command's options: how the usage shows it, what one is called, and how many there may be. */
export interface Words {
  readonly usage: string
  readonly name: string
  readonly least: number
  readonly most: number
}

export const noWords: Words = { usage: "", name: "", least: 0, most: 0 }

export const oneWord = (name: string): Words => ({ usage: name, name, least: 1, most: 1 })

export const optionalWord = (name: string): Words => ({ usage: `[${name}]`, name, least: 0, most: 1 })

export const anyWords = (name: string): Words => ({ usage: `[${name}]...`, name, least: 0, most: Infinity })

export const someWords = (name: string): Words => ({ usage: `${name}...`, name, least: 1, most: Infinity })

/** A command as people see it: its words beside the options, what it does, what may follow its help. */
export interface CommandShape {
  readonly options: OptionTable
  readonly words: Words
  /** What stands after `--`, where that is another program's command line: how the usage shows it. */
  readonly otherProgram?: string
  readonly about: string
  readonly notes: ReadonlyArray<string>
}

/** By name, of which `config check` is one. */
export type CommandShapes = { readonly [name: string]: CommandShape }

/** What the command line gave to a command: as many words as its shape allows, and each option's texts. */
export interface Arguments {
  readonly words: ReadonlyArray<string>
  readonly given: Given
  /** The other program's command line, word for word; empty for commands that run none. */
  readonly otherProgram: ReadonlyArray<string>
}

/** What a command finds in its process. */
export type Services = Stdio | Signals | FileSystem.FileSystem | Path.Path

/**
 * A command that runs to its exit code. The machine is an effect, and a command's own work an `import()`, so that what
 * only one command needs is loaded by that one alone.
 */
export interface Command extends CommandShape {
  readonly run: (given: Arguments, machine: Effect.Effect<Machine>) => Effect.Effect<number, UsageError, Services>
}
