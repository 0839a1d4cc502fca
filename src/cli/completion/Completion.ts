/**
 * `gantry --completions bash|zsh|fish`
 */
import type { CommandShapes } from "../Command.ts"
import { bash } from "./bash.ts"
import { fish } from "./fish.ts"
import { type Grammar, make } from "./Grammar.ts"
import type { Shell } from "./Shell.ts"
import { zsh } from "./zsh.ts"

const writers: { readonly [_ in Shell]: (grammar: Grammar) => string } = { bash, fish, zsh }

/** The script that makes a shell complete these commands. */
export const completion = (shapes: CommandShapes, shell: Shell): string => writers[shell](make(shapes))
