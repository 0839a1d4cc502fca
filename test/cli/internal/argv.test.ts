import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import {
  type CommandShapes,
  type Invocation,
  noWords,
  oneWord,
  optionalWord,
  readArguments,
  someWords
} from "../../../src/cli/internal/argv.ts"
import { flag, list, optional } from "../../../src/cli/OptionTable.ts"

const text = { placeholder: "TEXT", about: "", decode: (given: string) => Either.right(given) }

const commands: CommandShapes = {
  push: {
    options: { to: list(text), report: optional(text), dryRun: flag("") },
    words: someWords("SOURCE"),
    about: "",
    notes: []
  },
  flavors: { options: {}, words: noWords, about: "", notes: [] },
  digest: { options: {}, words: oneWord("TARGET"), about: "", notes: [] },
  "config check": { options: { set: list(text) }, words: optionalWord("FILE"), about: "", notes: [] }
}

const read = (...args: ReadonlyArray<string>) => readArguments(args, commands)

const command = (...args: ReadonlyArray<string>): Either.Either<Invocation> => Either.right({ _tag: "Command", args })

const problems = (...args: ReadonlyArray<string>) => Either.getOrThrow(Either.flip(read(...args)))

describe("readArguments", () => {
  it("puts the options before the words, wherever they were", () => {
    assert.deepStrictEqual(
      read("push", "a", "--to", "x", "b", "--dry-run"),
      command("push", "--to", "x", "--dry-run", "--", "a", "b")
    )
  })

  it("knows a command of two words", () => {
    assert.deepStrictEqual(
      read("config", "check", "a.yaml", "--set", "A=b"),
      command("config", "check", "--set", "A=b", "--", "a.yaml")
    )
    assert.deepStrictEqual(
      read("config", "check", "--help"),
      Either.right({ _tag: "Help", command: Option.some("config check") })
    )
  })

  it("reads --option=value as --option value", () => {
    assert.deepStrictEqual(read("push", "a", "--to=x=y"), command("push", "--to", "x=y", "--", "a"))
  })

  it("takes every word after -- as it is", () => {
    assert.deepStrictEqual(read("push", "--", "--to", "--help"), command("push", "--", "--to", "--help"))
  })

  it("asks for help without arguments, and for a command's own with --help or -h anywhere", () => {
    assert.deepStrictEqual(read(), Either.right({ _tag: "Help", command: Option.none() }))
    assert.deepStrictEqual(read("--help"), Either.right({ _tag: "Help", command: Option.none() }))
    assert.deepStrictEqual(read("push", "a", "-h"), Either.right({ _tag: "Help", command: Option.some("push") }))
  })

  it("asks for the version", () => {
    assert.deepStrictEqual(read("--version"), Either.right({ _tag: "Version" }))
  })

  it("refuses an option that does not exist, and never takes it for a word", () => {
    assert.deepStrictEqual(problems("push", "--nope", "a"), ["there is no option --nope"])
    assert.deepStrictEqual(problems("push", "--TO=x", "a"), ["there is no option --TO"])
  })

  it("refuses an option whose value is missing, empty, or looks like an option", () => {
    for (const args of [["--to"], ["--to="], ["--to", ""], ["--to", "--dry-run"], ["--to=-x"], ["--report", " x"]]) {
      assert.strictEqual(problems("push", "a", ...args).length, 1, args.join(" "))
    }
  })

  it("refuses a value for an option that takes none, and a second value for one that takes one", () => {
    assert.include(problems("push", "a", "--dry-run=true")[0], "no value")
    assert.include(problems("push", "a", "--report", "x", "--report", "y")[0], "more than once")
  })

  it("refuses --password with the advice to use --password-stdin, and does not repeat the password", () => {
    for (const args of [["--password", "hunter2"], ["--password=hunter2"], ["-p", "hunter2"], ["-phunter2"]]) {
      const [problem, ...others] = problems("push", "a", ...args)
      assert.include(problem, "--password-stdin")
      assert.deepStrictEqual(others, [])
      assert.notInclude(problem, "hunter2")
    }
  })

  it("refuses a command that does not exist and names those that do", () => {
    for (const args of [["toString"], ["config"], ["config", "push"]]) {
      assert.deepStrictEqual(problems(...args), [
        `there is no command ${args[0]}; the commands are push, flavors, digest, config check`
      ])
    }
  })

  it("refuses a command without the words it needs, and words that a command does not take", () => {
    assert.deepStrictEqual(problems("push"), ["push needs at least one SOURCE"])
    assert.deepStrictEqual(problems("flavors", "x"), ["flavors takes no arguments, and there is x"])
    assert.deepStrictEqual(problems("digest"), ["digest needs TARGET"])
    assert.deepStrictEqual(problems("digest", "a", "b"), ["digest takes one TARGET, and there is b"])
    assert.deepStrictEqual(problems("config", "check", "a", "b"), ["config check takes one FILE, and there is b"])
  })

  it("tells everything that is wrong at once", () => {
    assert.strictEqual(problems("push", "--nope", "--to=", "--report", "x", "--report", "y").length, 4)
  })

  it("keeps every target and every source in order, for any of them", () => {
    const words = FastCheck.stringMatching(/^[a-z][a-z0-9:/=.-]{0,8}$/)
    FastCheck.assert(
      FastCheck.property(FastCheck.array(words), FastCheck.array(words, { minLength: 1 }), (targets, sources) => {
        const args = [
          ...sources,
          ...targets.flatMap((target, index) => (index % 2 ? [`--to=${target}`] : ["--to", target]))
        ]
        assert.deepStrictEqual(
          read("push", ...args),
          command("push", ...targets.flatMap((target) => ["--to", target]), "--", ...sources)
        )
      })
    )
  })

  it("gives an invocation or problems for any arguments", () => {
    const parts = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.constantFrom("push", "--to", "--", "-", "--=", "-p", "--to=")
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(parts), (args) => {
        const result = read(...args)
        assert.isTrue(Either.isRight(result) || result.left.length > 0)
      })
    )
  })
})
