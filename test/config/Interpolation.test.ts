// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are what is tested
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Interpolation from "../../src/config/Interpolation.ts"

const known =
  (values: Readonly<Record<string, string>>): Interpolation.Lookup =>
  (name) =>
    Effect.succeed(Record.get(values, name))

const expand = (text: string, values: Readonly<Record<string, string>> = {}) =>
  Effect.either(Interpolation.expand(text, known(values)))

const words = FastCheck.string({ unit: FastCheck.constantFrom("$", "{", "}", ":", "-", "?", "A", "_", "1", "é", "\n") })

/** Counts characters as `indexOf` and `slice` look at them; every other method of a string looks at all of it. */
const countLooks = (run: () => unknown): number => {
  let looks = 0
  const restores = (["indexOf", "slice", "replaceAll", "includes", "split"] as const).map((name) => {
    const original = String.prototype[name]
    Object.defineProperty(String.prototype, name, {
      configurable: true,
      writable: true,
      value: function (this: string, ...args: ReadonlyArray<unknown>) {
        const result: unknown = Reflect.apply(original, this, args)
        if (name === "slice") looks += String(result).length
        else if (name === "indexOf") looks += (result === -1 ? this.length : Number(result) + 1) - Number(args[1] ?? 0)
        else looks += this.length
        return result
      }
    })
    return () => Object.defineProperty(String.prototype, name, { configurable: true, writable: true, value: original })
  })
  try {
    run()
    return looks
  } finally {
    for (const restore of restores) restore()
  }
}

describe("Interpolation", () => {
  describe("expand", () => {
    it.effect("puts values in, wherever they stand", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* expand("${A}:${B_2}-${A}", { A: "app", B_2: "1" }), Either.right("app:1-app"))
      })
    )

    it.effect("takes the default for an unset and for an empty variable, and no other", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* expand("${A:-x:y-z}"), Either.right("x:y-z"))
        assert.deepStrictEqual(yield* expand("${A:-x}", { A: "" }), Either.right("x"))
        assert.deepStrictEqual(yield* expand("${A:-}"), Either.right(""))
        assert.deepStrictEqual(yield* expand("${A:-x}", { A: "set" }), Either.right("set"))
      })
    )

    it.effect("takes an empty variable without a default as the empty text", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* expand("a${A}b", { A: "" }), Either.right("ab"))
      })
    )

    it.effect("reads $$ as a dollar, also within a default", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* expand("$${A} $$$$ $$"), Either.right("${A} $$ $"))
        assert.deepStrictEqual(yield* expand("${A:-$$1$$}"), Either.right("$1$"))
      })
    )

    it.effect("does not look for variables in a variable's value", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* expand("${A}", { A: "${B} $$" }), Either.right("${B} $$"))
      })
    )

    it.effect("names every unset variable once, with what the text says about it", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(Interpolation.expand("${A}${B:?set it to $$1}${A}${C:?}", known({ C: "" })))
        assert.strictEqual(failure._tag, "VariablesUnset")
        assert.strictEqual(
          failure.message,
          "${A} is not set, ${B} is not set (set it to $1), ${C} is not set; " +
            "set A and B and C in the environment, or give --set A=VALUE --set B=VALUE --set C=VALUE"
        )
      })
    )

    it.effect("knows no variable of an object's own properties", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(Interpolation.expand("${constructor}", Interpolation.lookup({})))
        assert.strictEqual(failure._tag, "VariablesUnset")
      })
    )

    for (const [text, position, expected] of [
      ["a$", 2, "{ or a second $"],
      ["$NAME", 1, "{ or a second $"],
      ["a${A", 4, "} at the variable's end"],
      ["${}", 2, "the name of a variable (letters, digits and underscores)"],
      ["${1A}", 2, "the name of a variable (letters, digits and underscores)"],
      ["${A-x}", 3, "}, :- or :?"],
      ["${A:x}", 3, "}, :- or :?"],
      ["${A.B}", 3, "}, :- or :?"],
      ["${A:-${B}}", 5, "no variable within a variable"],
      ["${A:-$$$x}", 7, "no variable within a variable"]
    ] as const) {
      it.effect(`refuses ${text} at offset ${position}`, () =>
        Effect.gen(function* () {
          const failure = yield* Effect.flip(Interpolation.expand(text, known({ A: "a" })))
          assert.deepInclude(failure, { _tag: "InvalidInterpolation", position, expected })
        })
      )
    }

    const expanded = (text: string) => Effect.runSync(expand(text, { A: "a" }))

    it.prop(
      "leaves a text without dollars as it is",
      [FastCheck.string({ unit: "binary" }).filter((text) => !text.includes("$"))],
      ([text]) => {
        assert.deepStrictEqual(expanded(text), Either.right(text))
      }
    )

    it.prop("gives back what escape has written", [FastCheck.oneof(words, FastCheck.string())], ([text]) => {
      assert.deepStrictEqual(expanded(Interpolation.escape(text)), Either.right(text))
    })

    it.prop("ends in a text or a typed error, whatever the text", [words], ([text]) => {
      const result = expanded(text)
      if (Either.isRight(result)) return assert.isString(result.right)
      if (result.left._tag === "InvalidInterpolation") return assert.isAtMost(result.left.position, text.length)
      assert.strictEqual(result.left._tag, "VariablesUnset")
    })

    for (const [name, text] of [
      ["dollars", "$".repeat(6000)],
      ["variables", "${A}".repeat(1500)],
      ["open variables", "${A:-".repeat(1200)],
      ["a default of dollars", `\${B:-${"$$".repeat(3000)}}`],
      ["a lone dollar behind many", `\${B:-${"$$".repeat(3000)}$x}`]
    ] as const) {
      it(`looks at each character a few times at most: ${name}`, () => {
        assert.isAtMost(
          countLooks(() => Interpolation.parse(text)),
          6 * text.length
        )
      })
    }
  })

  describe("lookup", () => {
    const configured = Effect.withConfigProvider(
      ConfigProvider.fromMap(
        new Map([
          ["A", " from, the environment "],
          ["B", "b"],
          ["EMPTY", ""]
        ])
      )
    )

    it.effect("prefers the given values to the configuration", () =>
      configured(
        Effect.gen(function* () {
          const lookup = Interpolation.lookup({ B: "given" })
          assert.deepStrictEqual(yield* lookup("B"), Option.some("given"))
          assert.deepStrictEqual(yield* lookup("A"), Option.some(" from, the environment "))
          assert.deepStrictEqual(yield* lookup("EMPTY"), Option.some(""))
          assert.deepStrictEqual(yield* lookup("C"), Option.none())
        })
      )
    )
  })

  describe("parseAssignment", () => {
    it("splits at the first equal sign", () => {
      assert.deepStrictEqual(Interpolation.parseAssignment("A_1=x=y"), Either.right(["A_1", "x=y"]))
      assert.deepStrictEqual(Interpolation.parseAssignment("A="), Either.right(["A", ""]))
    })

    it("refuses what has no name or no equal sign", () => {
      for (const text of ["", "A", "=x", "1A=x", "A B=x", "a-b=x"]) {
        assert.isTrue(Either.isLeft(Interpolation.parseAssignment(text)), text)
      }
    })
  })
})
