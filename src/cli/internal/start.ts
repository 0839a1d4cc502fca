import { join } from "node:path"
import type { Name, programs } from "../programs.ts"
import { folderOf, load } from "./codeCache.ts"

/** The bundle's file beside this one, named when it is built. */
declare const BUNDLE: string

const isProgram = (exports: unknown): exports is { readonly programs: typeof programs } =>
  typeof exports === "object" && exports !== null && "programs" in exports

/** Runs a program of the bundle. */
export const start = (name: Name): void => {
  const word = process.argv[2] ?? ""
  const { exports, keep } = load(join(__dirname, BUNDLE), folderOf(process.env), `${name} ${word}`)
  // Words that are no command end with another code, and would be kept each for itself.
  process.on("exit", (code) => {
    if (code === 0) keep()
  })
  if (isProgram(exports)) void exports.programs[name]()
}
