import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { valueOf } from "../../src/cli/completion/Grammar.ts"
import { shells } from "../../src/cli/completion/Shell.ts"
import { type OptionTable, optionName } from "../../src/cli/OptionTable.ts"
import { pushOptions } from "../../src/cli/PushOptions.ts"
import { verifyOptions } from "../../src/cli/VerifyOptions.ts"
import { at, gantry } from "./support/registries.ts"

const script = (shell: string) => Effect.map(gantry(["--completions", shell]).pipe(at()), ({ stdout }) => stdout)

/** What bash offers when these words have been typed, the last one in part. */
const offered = (completion: string, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { stderr, stdout } = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gantry; printf '%s\\n' "\${COMPREPLY[@]}"`,
      "bash",
      completion,
      "gantry",
      ...words
    ],
    { encoding: "utf8" }
  )
  assert.strictEqual(stderr, "")
  return stdout.split("\n").filter((line) => line !== "")
}

describe("completion", () => {
  it.scoped("offers commands, options, and the words that an option takes, in bash", () =>
    Effect.gen(function* () {
      const bash = yield* script("bash")
      const offer = (...words: ReadonlyArray<string>) => offered(bash, words)
      assert.includeMembers([...offer("")], ["push", "verify", "config", "--help", "--completions"])
      assert.deepStrictEqual(offer("pu"), ["push"])
      assert.deepStrictEqual(offer("config", ""), ["check"])
      assert.deepStrictEqual(offer("schema", ""), ["config", "report", "event"])
      assert.deepStrictEqual(offer("push", "--prog"), ["--progress"])
      assert.deepStrictEqual(offer("push", "--progress", ""), ["auto", "bars", "plain", "json", "none"])
      assert.deepStrictEqual(offer("push", "app:1", "--progress", "=", "p"), ["plain"])
      assert.deepStrictEqual(offer("push", "--report", "pack"), ["package-lock.json", "package.json"])
      assert.deepStrictEqual(offer("config", "check", "READ"), ["README.md"])
      assert.deepStrictEqual(offer("push", "--to", ""), [])
      assert.deepStrictEqual(offer("--completions", ""), shells)
      assert.deepStrictEqual(offer("verify", "--dry"), [])
    })
  )

  it.scoped("has every command and every option of the help, in each shell", () =>
    Effect.gen(function* () {
      const help = (yield* gantry(["--help"]).pipe(at())).stdout
      const commands = Array.from(help.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}/gm), ([, name = ""]) => name)
      assert.includeMembers(commands, ["push", "config check"])
      for (const shell of shells) {
        const completion = yield* script(shell)
        for (const word of commands.flatMap((name) => name.split(" "))) assert.include(completion, word, shell)
        for (const name of Object.keys({ ...pushOptions, ...verifyOptions })) {
          const option = optionName(name)
          assert.include(completion, shell === "fish" ? `-l ${option.slice(2)} ` : option, shell)
        }
      }
    }).pipe(at())
  )

  it("offers what the option takes, and nothing else", () => {
    let choices = 0
    const table: OptionTable = { ...pushOptions, ...verifyOptions }
    for (const [name, { decode, placeholder }] of Object.entries(table)) {
      const value = valueOf(placeholder)
      for (const choice of value._tag === "Choice" ? value.choices : []) {
        choices += 1
        assert.isTrue(Either.isRight(decode([choice])), `${name} ${choice}`)
      }
    }
    assert.isAbove(choices, 6)
  })

  it.scoped("is refused for another shell, with those that there are", () =>
    Effect.gen(function* () {
      for (const args of [["--completions"], ["--completions", "tcsh"], ["--completions=tcsh"]]) {
        const { code, stderr, stdout } = yield* gantry(args).pipe(at())
        assert.deepStrictEqual([code, stdout], [2, ""])
        assert.include(stderr, "bash or zsh or fish")
      }
    }).pipe(at())
  )
})
