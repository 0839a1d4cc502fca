import { assert, describe, it } from "@effect/vitest"
import { cliPage, defaultOf } from "../../scripts/lib/pages/cliPage.ts"
import { errorsPage } from "../../scripts/lib/pages/errorsPage.ts"
import { filePage } from "../../scripts/lib/pages/filePage.ts"
import { read } from "../../scripts/lib/pages/repository.ts"
import { commands } from "../../src/cli/application.ts"
import { optionName, variableName } from "../../src/cli/OptionTable.ts"
import * as ConnectorType from "../../src/connector/ConnectorType.ts"
import { samples } from "../cli/support/errorSamples.ts"

/** What stands below a heading, up to the next of its kind. */
const section = (page: string, heading: string): string => {
  const [, after = ""] = page.split(`\n${heading}\n`)
  return after.split(new RegExp(`^${heading.split(" ")[0]} `, "m"))[0] ?? ""
}

const stale = "is not what gantry says of itself now; run npm run pages"

describe("the reference of the command line", () => {
  it("is written as the commands are", () => {
    assert.isTrue(read("scripts/pages/cli.md") === cliPage(commands), `scripts/pages/cli.md ${stale}`)
  })

  for (const [name, { options, words }] of Object.entries(commands)) {
    it(`has every option of ${name} with its variable and its default`, () => {
      const text = section(cliPage(commands), `## gantry ${name}`)
      assert.include(text, words.usage)
      for (const [option, spec] of Object.entries(options)) {
        const row = text.split("\n").find((line) => line.startsWith(`| \`${optionName(option)}`)) ?? ""
        assert.include(row, `\`${variableName(option)}\``, option)
        assert.include(row, ` | ${defaultOf(spec)} | `, option)
      }
    })
  }

  it("says the same default as the option's words", () => {
    for (const { options } of Object.values(commands)) {
      for (const [name, spec] of Object.entries(options)) {
        const said = /Default: ([\w-]+)\.(?= |$)/.exec(spec.about)?.[1]
        if (said !== undefined && spec.shape === "value") assert.strictEqual(defaultOf(spec), `\`${said}\``, name)
      }
    }
  })
})

describe("the reference of gantry.yaml", () => {
  it("is written as the file's schema is", () => {
    assert.isTrue(read("scripts/pages/file.md") === filePage(), `scripts/pages/file.md ${stale}`)
  })

  it("has every key of every method of every connector", () => {
    for (const { authMethods, displayName } of ConnectorType.builtin) {
      const text = section(filePage(), `### ${displayName}`)
      for (const { fields, name } of authMethods) {
        assert.include(text, `| \`${name}\` |`)
        for (const field of Object.keys(fields)) assert.include(text, `| \`${field}\` |`)
      }
    }
  })
})

describe("the page of errors", () => {
  const page = read("scripts/pages/errors.md")

  it("is written as the errors are, and keeps its own words", () => {
    assert.isTrue(page === errorsPage(page), `scripts/pages/errors.md ${stale}`)
    assert.match(page, /^# Errors\n/)
  })

  for (const [tag, errors] of Object.entries(samples)) {
    it(`says of ${tag} what it means and what to do`, () => {
      const text = section(page, `### ${tag}`)
      assert.match(text, /^\n[A-Z`].{20,}\n/)
      for (const { advice } of errors) assert.include(text, advice.replaceAll("<", "&lt;"))
    })
  }
})
