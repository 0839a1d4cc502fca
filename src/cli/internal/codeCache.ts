/**
 * Loads a bundled program with the code that V8 compiled for it in earlier runs: half of a short run is compiling.
 *
 * Node.js can do this itself from 22 on (`module.enableCompileCache`), and takes `NODE_DISABLE_COMPILE_CACHE` for a no too.
 */
import { createHash, randomUUID } from "node:crypto"
import * as fs from "node:fs"
import Module from "node:module"
import { homedir } from "node:os"
import { basename, dirname, isAbsolute, join } from "node:path"
import * as vm from "node:vm"

/** A program that was loaded. */
export interface Loaded {
  readonly exports: unknown
  /** Whether code of an earlier run was used. */
  readonly isWarm: boolean
  /** Keeps what has been compiled by now for the next run; does nothing when there is no place for it. */
  readonly keep: () => void
}

/** Files that stay in the folder: one for each version of gantry and of Node.js in use. */
const filesKept = 8

const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** The folder where a user's programs keep what they can make again; none where there is none, or the user wants none. */
export const folderOf = (environment: Readonly<Record<string, string | undefined>>): string | undefined => {
  if (environment["NODE_DISABLE_COMPILE_CACHE"]) return undefined
  // https://specifications.freedesktop.org/basedir-spec/latest/: a relative path is to be ignored.
  const given = [environment["XDG_CACHE_HOME"], environment["LOCALAPPDATA"]].find((path) => path && isAbsolute(path))
  // A user without an entry in the system's list has no home, which Node tells by throwing.
  const base = given ?? join(attempt(homedir) ?? "", ".cache")
  return isAbsolute(base) ? join(base, "gantry") : undefined
}

const checksum = (code: Buffer): string => createHash("sha256").update(code).digest("base64")

/** Whether a file or a folder is the user's own, and open for writing to none of those that `others` has the bits of. */
const isOurs = ({ mode, uid }: fs.Stats, others: number): boolean =>
  process.getuid === undefined || (uid === process.getuid() && (mode & others) === 0)

/** What is run must come from nobody else. */
const groupAndOthers = 0o022

/** A user's own group may write to the home in many systems; the folder made in it is for its owner only. */
const everybodyElse = 0o002

interface Kept {
  readonly code: Buffer
  /** The words after which code was compiled. */
  readonly words: ReadonlyArray<string>
}

/** V8 trusts what it is given: a flipped bit can end the process, so the checksum comes first. */
const read = (file: string): Kept | undefined =>
  attempt(() => {
    const descriptor = fs.openSync(file, "r")
    try {
      if (!isOurs(fs.fstatSync(descriptor), groupAndOthers)) return undefined
      const content = fs.readFileSync(descriptor)
      const end = content.indexOf("\n")
      const { sum, words }: { readonly sum: string; readonly words: ReadonlyArray<string> } = JSON.parse(
        content.toString("utf8", 0, end)
      )
      const code = content.subarray(end + 1)
      return checksum(code) === sum ? { code, words } : undefined
    } finally {
      fs.closeSync(descriptor)
    }
  })

/** The folder itself, or the nearest one above it that exists. */
const existing = (folder: string): string => (fs.existsSync(folder) ? folder : existing(dirname(folder)))

/** Somebody else's cache may have the same name: only what was written here is removed. */
const prune = (file: string): void => {
  const folder = dirname(file)
  const [program = ""] = basename(file).split("-")
  const byAge = fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(`${program}-`) && name.includes(".cjs-v"))
    .map((name) => ({ path: join(folder, name), age: fs.statSync(join(folder, name)).mtimeMs }))
    .sort((left, right) => right.age - left.age)
  for (const { path } of byAge.slice(filesKept)) fs.rmSync(path, { force: true })
}

const write = (file: string, { code, words }: Kept): void => {
  const folder = dirname(file)
  // One who runs as another user, as under sudo, leaves nothing in a home that is not theirs.
  if (!isOurs(fs.statSync(existing(folder)), everybodyElse)) return
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temporary = `${file}.${randomUUID()}`
  try {
    fs.writeFileSync(
      temporary,
      Buffer.concat([Buffer.from(`${JSON.stringify({ sum: checksum(code), words })}\n`), code]),
      { mode: 0o600, flag: "wx" }
    )
    fs.renameSync(temporary, file)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
  prune(file)
}

/**
 * Runs a CommonJS file. Its name has to change with its content.
 *
 * @param word what the program was asked for: other words run other code, and each is kept once
 */
export const load = (file: string, folder: string | undefined, word: string): Loaded => {
  const source = Module.wrap(fs.readFileSync(file, "utf8"))
  const cache = folder && join(folder, `${basename(file)}-${process.version}-${process.arch}`)
  const kept = cache === undefined ? undefined : read(cache)
  const script = new vm.Script(source, {
    filename: file,
    cachedData: kept?.code,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
  })
  const isWarm = kept !== undefined && script.cachedDataRejected === false
  const module = { exports: {} }
  script.runInThisContext()(module.exports, Module.createRequire(file), module, file, dirname(file))
  const words = isWarm ? kept.words : []
  return {
    exports: module.exports,
    isWarm,
    keep: () => {
      if (cache === undefined || words.includes(word)) return
      attempt(() => write(cache, { code: script.createCachedData(), words: [...words, word] }))
    }
  }
}
