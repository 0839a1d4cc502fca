/**
 * The pages that are written from gantry itself, and the links of all of them. `npm run pages` writes what is generated;
 * with --check nothing is written, and a page that is not as it would be written is an error.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { argv } from "node:process"
import { commands } from "../../../src/cli/application.ts"
import { cliPage } from "./cliPage.ts"
import { errorsPage } from "./errorsPage.ts"
import { filePage } from "./filePage.ts"
import { brokenLinks } from "./links.ts"
import { exists, pages, read, root } from "./repository.ts"

/** Each by its path below the root, as it should be. */
const generated = {
  "scripts/pages/cli.md": cliPage(commands),
  "scripts/pages/file.md": filePage(),
  "scripts/pages/errors.md": errorsPage(read("scripts/pages/errors.md"))
}

const problems: Array<string> = []
for (const [path, page] of Object.entries(generated)) {
  if (exists(path) && read(path) === page) continue
  if (argv.includes("--check")) problems.push(`${path}: is not what gantry says of itself now; run npm run pages`)
  else writeFileSync(join(root, path), page)
}
const all = pages()
problems.push(...brokenLinks(all, exists))
for (const problem of problems) console.error(problem)
console.error(
  problems.length === 0 ? `${all.size} pages are as gantry is, and their links hold` : `${problems.length} problems`
)
process.exitCode = problems.length === 0 ? 0 : 1
