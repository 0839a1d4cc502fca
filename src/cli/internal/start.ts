import { join } from "node:path"
import type { Name, programs } from "../programs.ts"
import { folderOf, load } from "./codeCache.ts"

/** The bundle's file beside this one, named when it is built. */
declare const BUNDLE: string

const isBundle = (exports: unknown): exports is { readonly programs: typeof programs } =>
  typeof exports === "object" && exports !== null && "programs" in exports

/** Runs a program of the bundle. */
export const start = (name: Name): void => {
  const [word = ""] = process.argv.slice(2)
  // What is typed may be a secret; a command's name, which decides what code runs, has these letters only.
  const command = /^[a-z]{1,9}$/.test(word) ? word : ""
  const { exports, keep } = load(join(__dirname, BUNDLE), folderOf(process.env), `${name} ${command}`)
  if (!isBundle(exports)) throw new Error(`${BUNDLE} is not what was built: install gantry again`)
  // A word that is no command ends with another code.
  process.on("exit", (code) => {
    if (code === 0) keep()
  })
  void exports.programs[name]()
}
