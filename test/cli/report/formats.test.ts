import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as JSONSchema from "effect/JSONSchema"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { json } from "../../../src/cli/output/json.ts"
import { text } from "../../../src/cli/output/text.ts"
import { Report, toJson } from "../../../src/cli/Report.ts"
import { junit } from "../../../src/cli/report/junit.ts"
import { markdown, markdownWithin } from "../../../src/cli/report/markdown.ts"
import * as Samples from "../support/samples.ts"

const golden = (name: string) => readFileSync(new URL(`../../golden/${name}`, import.meta.url), "utf8")

const formats = [
  ["report.json", toJson, Samples.report],
  ["report.xml", junit, Samples.report],
  ["report.md", markdown, Samples.report],
  ["report.txt", text, Samples.report],
  ["dry-run.json", json, Samples.dryRun],
  ["dry-run.xml", junit, Samples.dryRun],
  ["dry-run.md", markdown, Samples.dryRun],
  ["dry-run.txt", text, Samples.dryRun]
] as const

describe("the report", () => {
  for (const [name, write, report] of formats) {
    it(`is written as test/golden/${name} has it`, () => {
      assert.strictEqual(write(report), golden(name))
    })
  }

  it("comes back from its JSON as it was, for any results", () => {
    FastCheck.assert(
      FastCheck.property(Samples.reports, (report) => {
        const back = Schema.decodeUnknownSync(Report)(JSON.parse(toJson(report)))
        assert.deepStrictEqual(JSON.parse(toJson(back)), JSON.parse(toJson(report)))
      })
    )
  })

  it("has a JSON Schema that names its version and its results' statuses", () => {
    const schema = JSON.stringify(JSONSchema.make(Report))
    for (const word of ["schemaVersion", "would-overwrite", "repoDigest", "transient"]) assert.include(schema, word)
  })

  it("counts every result once", () => {
    FastCheck.assert(
      FastCheck.property(Samples.reports, (report) => {
        const { cancelled, failed, pushed, results, skipped, total, unchanged } = report
        const foreseen = results.filter(({ status }) => status === "would-push").length
        assert.strictEqual(pushed + unchanged + skipped + failed + cancelled + foreseen, total)
        assert.strictEqual(total, results.length)
      })
    )
  })

  it("is XML without bare markup or characters that XML does not have, for any texts", () => {
    FastCheck.assert(
      FastCheck.property(Samples.reports, (report) => {
        const xml = junit(report)
        const values = xml.replace(/<[^<>]*>/g, (tag) => tag.replace(/="[^"<>]*"/g, ""))
        assert.notMatch(values.replace(/<\/?[a-z-]+( [a-z]+)*\/?>|<\?xml[^<>]*\?>/g, ""), /[<>]/)
        assert.notMatch(xml.replaceAll("\n", ""), /[\p{Cc}\p{Cs}\ufffe\uffff]/u)
      })
    )
  })

  it("has a Markdown row for each result, for any texts", () => {
    FastCheck.assert(
      FastCheck.property(Samples.reports, (report) => {
        const rows = markdown(report)
          .split("\n")
          .filter((line) => line.startsWith("| "))
        assert.strictEqual(rows.length, report.results.length + 2)
        for (const row of rows) assert.strictEqual(row.replaceAll("\\|", "").split("|").length, 7)
      })
    )
  })

  it("is Markdown in no more bytes than there is room for, with failures first and the rest counted", () => {
    FastCheck.assert(
      FastCheck.property(Samples.reports, FastCheck.nat(3000), (report, bytes) => {
        const page = Option.getOrUndefined(markdownWithin(report, bytes))
        if (page === undefined) return assert.isBelow(bytes, 400)
        assert.isAtMost(Buffer.byteLength(page), bytes)
        const lines = page.split("\n")
        const shown = lines.filter((line) => line.startsWith("| ")).length - 2
        const counted = Number(/^(\d+) more push/.exec(lines.at(-2) ?? "")?.[1] ?? 0)
        assert.strictEqual(shown + counted, report.total)
        const failures = lines.filter((line) => line.startsWith("- ")).length
        assert.strictEqual(failures, Math.min(shown, counted === 0 ? shown : report.failed, report.failed))
      })
    )
  })

  it("leaves out of Markdown only what does not fit", () => {
    const whole = markdown(Samples.report)
    const size = Buffer.byteLength(whole)
    assert.deepStrictEqual(markdownWithin(Samples.report, size), Option.some(whole))
    const less = Option.getOrThrow(markdownWithin(Samples.report, size - 1)).split("\n")
    assert.match(less[4] ?? "", /^\| failed \|/)
    assert.strictEqual(less.at(-2), "1 more push is left out here: `--report FILE` has them all.")
    for (let bytes = 300; bytes < size; bytes++) {
      assert.isAtMost(Buffer.byteLength(Option.getOrThrow(markdownWithin(Samples.report, bytes))), bytes)
    }
    const least = Option.getOrThrow(markdownWithin(Samples.report, 300)).split("\n")
    assert.strictEqual(least.at(-2), "4 more pushes are left out here: `--report FILE` has them all.")
    assert.deepStrictEqual(markdownWithin(Samples.report, 200), Option.none())
  })

  it("shows a | and a $ of Markdown as they are, in its table and below it", () => {
    const [, , failed] = Samples.report.results
    if (failed?.error === undefined) return assert.fail("the third one has failed")
    const result = { ...failed, source: "a|b", target: "c|d", error: { ...failed.error, message: "$HOME or $(x)" } }
    const page = markdown({ ...Samples.report, results: [result] })
    assert.include(page, "| failed | `a\\|b` | `c\\|d` |")
    assert.include(page, "- `c|d`: \\$HOME or \\$(x)\n")
  })
})
