/** Links between pages: does what they name exist, the heading too. Nothing outside is asked. */
import { posix } from "node:path"
import { anchors, links } from "./Markdown.ts"

/**
 * What is wrong with the links of pages, given by their paths below the repository's root: `README.md:7: …`.
 *
 * `exists` says whether there is a file or a folder at a path below the root.
 */
export const brokenLinks = (
  pages: ReadonlyMap<string, string>,
  exists: (path: string) => boolean
): ReadonlyArray<string> =>
  [...pages].flatMap(([page, markdown]) =>
    links(markdown).flatMap(({ line, target }) => {
      const problem = /^[a-z]+:/.test(target) ? outside(target) : inside({ page, target, pages, exists })
      return problem === undefined ? [] : [`${page}:${line}: ${target} ${problem}`]
    })
  )

const outside = (target: string): string | undefined =>
  target.startsWith("https://") && URL.canParse(target)
    ? undefined
    : "is not the https URL that a link outside has to be"

const inside = (link: {
  readonly page: string
  readonly target: string
  readonly pages: ReadonlyMap<string, string>
  readonly exists: (path: string) => boolean
}): string | undefined => {
  const [path = "", anchor] = link.target.split("#")
  const file = path === "" ? link.page : posix.normalize(posix.join(posix.dirname(link.page), path))
  if (!link.exists(file)) return "leads nowhere: there is no such file"
  const markdown = link.pages.get(file)
  if (anchor === undefined) return undefined
  if (markdown === undefined) return "names a heading of what is no page"
  return anchors(markdown).has(anchor) ? undefined : `names a heading that ${file} does not have`
}
