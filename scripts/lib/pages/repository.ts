/** The repository's pages, where they are. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Of a file below the root. */
export const read = (path: string): string => readFileSync(join(root, path), "utf8")

export const exists = (path: string): boolean => existsSync(join(root, path))

const folder = "scripts/pages"

/** The README and every page, by their paths below the root. */
export const pages = (): ReadonlyMap<string, string> => {
  const guides = readdirSync(join(root, folder)).filter((file) => file.endsWith(".md"))
  return new Map(["README.md", ...guides.map((file) => `${folder}/${file}`)].map((path) => [path, read(path)]))
}
