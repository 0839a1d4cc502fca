import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import { causeLines, defectLines, problemLine, withoutAdvice } from "../../../src/cli/output/problem.ts"
import { RegistryUnauthorized } from "../../../src/distribution/RegistryError.ts"
import * as gantry from "../../../src/index.ts"
import * as PushError from "../../../src/push/PushError.ts"
import { type GantryError, samples } from "../support/errorSamples.ts"

const golden = (name: string) => readFileSync(new URL(`../../golden/${name}`, import.meta.url), "utf8")

const all: ReadonlyArray<GantryError> = Object.values(samples).flat()

const blockOf = (error: GantryError): string => {
  const lines = error.message.split("\n").map((message) => problemLine("gantry", { message }))
  if (PushError.isPushError(error)) lines.push(...causeLines(PushError.report(error)).map((line) => `    ${line}`))
  return lines.join("\n")
}

/** Every error class that a module of gantry exports. */
const exported = Object.values<Record<string, unknown>>(gantry)
  .flatMap((module) => Object.values(module))
  .filter(
    (value) => Predicate.isFunction(value) && value.prototype instanceof Error && Predicate.hasProperty(value, "_tag")
  )
  .map((value) => String(Reflect.get(Object(value), "_tag")))

/** What a reader is told to do begins so, at the start or after a condition. */
const instruction =
  /(?:^|[,;:?] (?:so )?)(?:add|ask|build|change|check|configure|correct|create|do|do not|find|give|install|let|link|load|log in|look|make|name|push|repair|restart|run|set|start|submit|try|unlock|update|use|wait|write)\b/i

describe("the texts of gantry's errors", () => {
  it("are as test/golden/errors.txt has them, so that they can be read in one place", () => {
    const text = Object.entries(samples)
      .map(([tag, errors]) => `# ${tag}\n${errors.map((error) => `${blockOf(error)}\n`).join("\n")}`)
      .join("\n")
    assert.strictEqual(text, golden("errors.txt"))
  })

  it("are there for every error class that gantry exports", () => {
    assert.isAbove(exported.length, 30)
    assert.deepStrictEqual(
      exported.filter((tag) => !Object.hasOwn(samples, tag)),
      []
    )
    assert.sameMembers(
      Object.entries(samples).flatMap(([tag, errors]) => errors.filter(({ _tag }) => _tag !== tag)),
      []
    )
  })

  for (const [tag, errors] of Object.entries(samples)) {
    it(`of ${tag} end with what to do next, and say more than that`, () => {
      for (const { advice, isRetryable, message } of errors) {
        assert.match(advice, instruction)
        assert.isTrue(message.replace(/\.$/, "").endsWith(advice.replace(/\.$/, "")), message)
        assert.isAbove(message.length, advice.length)
        assert.isBoolean(isRetryable)
        assert.notMatch(message, /undefined|\[object|\.\.(?!\/)|\. ?\. /)
      }
    })
  }

  it("begin a sentence with a capital, or continue the line of a file", () => {
    const inFiles = ["InvalidInterpolation", "VariablesUnset", "GantryFileInvalid"]
    for (const { _tag, message } of all) {
      if (!inFiles.includes(_tag)) assert.match(message, /^[A-Z"/.-]|^reg\.example\.com|^localhost:5000/)
    }
  })
})

describe("a problem", () => {
  const report = PushError.report(
    new RegistryUnauthorized({
      registry: "reg.example.com",
      repository: "team/app",
      status: 401,
      text: "authentication required"
    })
  )

  it("is one line whatever the text holds", () => {
    const line = problemLine("reg.example.com/app:1", { message: "It said: \u001b[31mred\r\nnext\u2028line" })
    assert.strictEqual(line, "reg.example.com/app:1: It said:  [31mred next line")
  })

  it("can be told without its advice, where it is followed already", () => {
    assert.strictEqual(
      withoutAdvice(report),
      'reg.example.com/team/app does not accept the credential, or wants one and got none. It said: "authentication required".'
    )
    assert.strictEqual(withoutAdvice({ message: "no advice here", advice: "other" }), "no advice here")
  })

  it("has as its cause the error's own fields and nothing that the line says already", () => {
    assert.deepStrictEqual(causeLines(report), [
      "  error: RegistryUnauthorized (trying again will not help)",
      "  registry: reg.example.com",
      "  repository: team/app",
      "  status: 401",
      "  text: authentication required"
    ])
  })
})

describe("a defect", () => {
  it("is said to be gantry's own fault, with the stack and without the secrets in its words", () => {
    const lines = defectLines(
      Cause.die(
        new Error(
          "GET https://me:hunter2@reg.example.com/v2/?sig=s3cret\nAuthorization: Bearer abcdefghijklmnopqrstuvwxyz"
        )
      )
    )
    const text = lines.join("\n")
    assert.match(text, /^gantry: this is a bug in gantry, .*report it/)
    assert.match(text, /\n {2}at .*problem\.test\.ts/)
    for (const secret of ["hunter2", "s3cret", "abcdefghijklmnopqrstuvwxyz"]) assert.notInclude(text, secret)
  })
})
