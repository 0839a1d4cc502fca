import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import {
  anyWords,
  type CommandShape,
  type CommandShapes,
  noWords,
  oneWord,
  optionalWord,
  someWords
} from "../../../src/cli/Command.ts"
import { type Invocation, readArguments } from "../../../src/cli/internal/argv.ts"
import { flag, list, optional } from "../../../src/cli/OptionTable.ts"

const text = { placeholder: "TEXT", about: "", decode: (given: string) => Either.right(given) }

const pushShape: CommandShape = {
  options: { to: list(text), report: optional(text), dryRun: flag("") },
  words: someWords("SOURCE"),
  about: "",
  notes: []
}

const checkShape: CommandShape = { options: { set: list(text) }, words: optionalWord("FILE"), about: "", notes: [] }

const execShape: CommandShape = {
  options: {},
  words: anyWords("REGISTRY"),
  otherProgram: "COMMAND",
  about: "",
  notes: []
}

const commands: CommandShapes = {
  push: pushShape,
  flavors: { options: {}, words: noWords, about: "", notes: [] },
  exec: execShape,
  digest: { options: {}, words: oneWord("TARGET"), about: "", notes: [] },
  "config check": checkShape
}

const read = (...args: ReadonlyArray<string>) => readArguments(args, commands)

const push = (
  words: ReadonlyArray<string>,
  given: { readonly to?: ReadonlyArray<string>; readonly dryRun?: true } = {}
) =>
  Either.right<Invocation<CommandShape>>({
    _tag: "Command",
    name: "push",
    command: pushShape,
    words,
    given: { to: given.to ?? [], report: [], dryRun: given.dryRun === undefined ? [] : ["true"] },
    otherProgram: []
  })

const problems = (...args: ReadonlyArray<string>) => Either.getOrThrow(Either.flip(read(...args)))

describe("readArguments", () => {
  it("tells options from words, wherever they are", () => {
    assert.deepStrictEqual(
      read("push", "a", "--to", "x", "b", "--dry-run"),
      push(["a", "b"], { to: ["x"], dryRun: true })
    )
  })

  it("knows a command of two words", () => {
    assert.deepStrictEqual(
      read("config", "check", "a.yaml", "--set", "A=b"),
      Either.right({
        _tag: "Command",
        name: "config check",
        command: checkShape,
        words: ["a.yaml"],
        given: { set: ["A=b"] },
        otherProgram: []
      })
    )
    assert.deepStrictEqual(
      read("config", "check", "--help"),
      Either.right({ _tag: "Help", command: Option.some("config check") })
    )
  })

  it("reads --option=value as --option value", () => {
    assert.deepStrictEqual(read("push", "a", "--to=x=y"), push(["a"], { to: ["x=y"] }))
  })

  it("takes every word after -- as it is", () => {
    assert.deepStrictEqual(read("push", "--", "--to", "--help"), push(["--to", "--help"]))
  })

  it("leaves what follows the first -- to another program, whatever it is", () => {
    const run = (words: ReadonlyArray<string>, otherProgram: ReadonlyArray<string>) =>
      Either.right<Invocation<CommandShape>>({
        _tag: "Command",
        name: "exec",
        command: execShape,
        words,
        given: {},
        otherProgram
      })
    assert.deepStrictEqual(
      read("exec", "prod", "--", "docker", "--help", "--", "-p", ""),
      run(["prod"], ["docker", "--help", "--", "-p", ""])
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.string()), (words) => {
        assert.deepStrictEqual(read("exec", "--", "sh", ...words), run([], ["sh", ...words]))
      })
    )
    assert.deepStrictEqual(
      read("exec", "prod", "--help", "--", "sh"),
      Either.right({ _tag: "Help", command: Option.some("exec") })
    )
    assert.match(problems("exec", "docker", "push").join(), /^exec needs -- and a COMMAND behind it/)
    assert.match(problems("exec", "--").join(), /^exec needs -- and a COMMAND behind it/)
    assert.match(problems("exec", "--retries", "--", "sh").join(), /^there is no option --retries/)
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
    assert.deepStrictEqual(problems("push", "--dry-rn", "a"), ["there is no option --dry-rn (did you mean --dry-run?)"])
    assert.match(
      problems("pussh", "a")[0] ?? "",
      /^there is no command pussh \(did you mean push\?\); the commands are/
    )
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
        `there is no command ${args[0]}; the commands are push, flavors, exec, digest, config check`
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
        assert.deepStrictEqual(read("push", ...args), push(sources, { to: targets }))
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
