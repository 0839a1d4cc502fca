import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { folderOf, load } from "../../../src/cli/internal/codeCache.ts"

const withFolder = (test: (folder: string) => void) => () => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-code-"))
  try {
    test(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const twice = "exports.twice = (value) => 2 * value; exports.here = __filename"

const program = (folder: string, name = "gantry-1.cjs") => {
  const file = join(folder, name)
  writeFileSync(file, twice)
  return file
}

const keptIn = (folder: string): string => {
  const [name = ""] = readdirSync(folder)
  return join(folder, name)
}

const works = ({ exports }: { readonly exports: unknown }) => {
  assert.strictEqual(Object(exports).twice(21), 42)
}

describe("codeCache", () => {
  it(
    "starts the second run with the code of the first",
    withFolder((folder) => {
      const file = program(folder)
      const cache = join(folder, "cache")
      const first = load(file, cache, "push")
      works(first)
      assert.isFalse(first.isWarm)
      first.keep()
      const second = load(file, cache, "push")
      works(second)
      assert.isTrue(second.isWarm)
      assert.strictEqual(Object(second.exports).here, file)
    })
  )

  it(
    "keeps its files for their owner only",
    withFolder((folder) => {
      const cache = join(folder, "cache")
      load(program(folder), cache, "push").keep()
      assert.strictEqual(statSync(cache).mode & 0o777, 0o700)
      assert.strictEqual(statSync(keptIn(cache)).mode & 0o777, 0o600)
    })
  )

  it(
    "does not run what somebody else could have written",
    withFolder((folder) => {
      const file = program(folder)
      const cache = join(folder, "cache")
      load(file, cache, "push").keep()
      chmodSync(keptIn(cache), 0o660)
      const loaded = load(file, cache, "push")
      works(loaded)
      assert.isFalse(loaded.isWarm)
    })
  )

  it(
    "writes into no folder that others may write to",
    withFolder((folder) => {
      chmodSync(folder, 0o777)
      const file = program(folder)
      load(file, folder, "push").keep()
      assert.deepStrictEqual(readdirSync(folder), ["gantry-1.cjs"])
    })
  )

  it(
    "does not hand V8 a file of which any byte has changed, or that ends early",
    withFolder((folder) => {
      const file = program(folder)
      const cache = join(folder, "cache")
      load(file, cache, "push").keep()
      const kept = keptIn(cache)
      const good = readFileSync(kept)
      const isRefused = (content: Buffer) => {
        writeFileSync(kept, content)
        const loaded = load(file, cache, "push")
        works(loaded)
        return !loaded.isWarm
      }
      const code = good.indexOf("\n") + 1
      FastCheck.assert(
        FastCheck.property(FastCheck.integer({ min: code, max: good.length - 1 }), (position) => {
          const changed = Buffer.from(good)
          changed[position] = (changed[position] ?? 0) ^ 0x55
          return isRefused(changed) && isRefused(good.subarray(0, position))
        })
      )
      assert.isTrue(isRefused(Buffer.from("no newline")))
      assert.isFalse(isRefused(good))
    })
  )

  it(
    "adds what other words compile, once",
    withFolder((folder) => {
      const file = program(folder)
      const cache = join(folder, "cache")
      const words = () => JSON.parse(readFileSync(keptIn(cache), "utf8").split("\n")[0] ?? "").words
      const keep = (word: string) => {
        load(file, cache, word).keep()
        const { ino } = statSync(keptIn(cache))
        return { ino, words: words() }
      }
      const help = keep("help")
      assert.deepStrictEqual(keep("help"), help)
      const both = keep("push")
      assert.deepStrictEqual(both.words, ["help", "push"])
      assert.deepStrictEqual(keep("help"), both)
      assert.deepStrictEqual(keep("push"), both)
    })
  )

  it(
    "keeps code in a home that the user's group may write to, as most have it",
    withFolder((folder) => {
      chmodSync(folder, 0o775)
      const file = program(folder)
      load(file, join(folder, "cache"), "push").keep()
      assert.isTrue(load(file, join(folder, "cache"), "push").isWarm)
    })
  )

  it(
    "works where nothing can be kept",
    withFolder((folder) => {
      const file = program(folder)
      for (const cache of [undefined, join(file, "not a folder")]) {
        const loaded = load(file, cache, "push")
        loaded.keep()
        works(loaded)
        assert.isFalse(load(file, cache, "push").isWarm)
      }
    })
  )

  it(
    "removes the oldest of many versions, and nothing that another program keeps there",
    withFolder((folder) => {
      const cache = join(folder, "cache")
      mkdirSync(join(cache, "gantry-data"), { recursive: true, mode: 0o700 })
      writeFileSync(join(cache, "others"), "")
      utimesSync(join(cache, "others"), 0, 0)
      for (let version = 0; version < 12; version++) {
        const file = program(folder, `gantry-${version}.cjs`)
        load(file, cache, "push").keep()
        const [made = ""] = readdirSync(cache).filter((name) => name.startsWith(`gantry-${version}.cjs`))
        utimesSync(join(cache, made), version, version)
      }
      const kept = readdirSync(cache)
      assert.includeMembers(kept, ["gantry-data", "others"])
      assert.strictEqual(kept.filter((name) => name.includes(".cjs")).length, 8)
      assert.isFalse(kept.some((name) => name.startsWith("gantry-0.")))
    })
  )

  it(
    "leaves nothing half written where there is no room",
    withFolder((folder) => {
      const cache = join(folder, "cache")
      mkdirSync(cache, { mode: 0o700 })
      const file = program(folder)
      // A folder with the file's name: what was written can not take its place.
      mkdirSync(join(cache, `gantry-1.cjs-${process.version}-${process.arch}`, "in the way"), { recursive: true })
      load(file, cache, "push").keep()
      assert.strictEqual(readdirSync(cache).length, 1)
    })
  )

  it("stands where the user keeps such files, or nowhere", () => {
    assert.strictEqual(folderOf({ XDG_CACHE_HOME: "/caches" }), join("/caches", "gantry"))
    assert.isTrue(folderOf({ XDG_CACHE_HOME: "relative" })?.endsWith(join(".cache", "gantry")))
    assert.isTrue(folderOf({})?.endsWith(join(".cache", "gantry")))
    assert.strictEqual(folderOf({ XDG_CACHE_HOME: "/caches", NODE_DISABLE_COMPILE_CACHE: "1" }), undefined)
  })
})
