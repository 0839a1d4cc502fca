/** What the checks of README and guides read in Markdown: fenced blocks, headings and links. */

/** A fenced block. `directive` is what the comment `<!-- readme: … -->` above it says. */
export interface Fence {
  readonly language: string
  readonly code: string
  /** Of its first fence, from 1. */
  readonly line: number
  readonly directive: string | undefined
}

interface Link {
  readonly target: string
  readonly line: number
}

const opening = /^(`{3,})([a-z]*)$/

const directiveLine = /^<!-- readme: (.+) -->$/

/** The fenced blocks in their order. A block that no fence closes goes to the end. */
export const fences = (markdown: string): ReadonlyArray<Fence> => {
  const lines = markdown.split("\n")
  const found: Array<Fence> = []
  for (let index = 0; index < lines.length; index++) {
    const [, ticks, language = ""] = opening.exec(lines[index] ?? "") ?? []
    if (ticks === undefined) continue
    const end = lines.indexOf(ticks, index + 1)
    const last = end === -1 ? lines.length : end
    const [, directive] = directiveLine.exec(lines[index - 1] ?? "") ?? []
    found.push({
      language,
      code: lines
        .slice(index + 1, last)
        .map((line) => `${line}\n`)
        .join(""),
      line: index + 1,
      directive
    })
    index = last
  }
  return found
}

/** The lines with what stands in fenced blocks taken out, so that the others keep their numbers. */
const prose = (markdown: string): ReadonlyArray<string> => {
  const lines = markdown.split("\n")
  for (const { code, line } of fences(markdown)) {
    lines.fill("", line - 1, line + code.split("\n").length)
  }
  return lines
}

/** Inline code shows what others would read as a link. */
const withoutCode = (line: string): string => line.replace(/(`+).*?\1/g, "")

export const links = (markdown: string): ReadonlyArray<Link> =>
  prose(markdown).flatMap((text, index) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => ({ target, line: index + 1 }))
  )

/** A heading's anchor as GitHub makes it: lower case, no punctuation, dashes for spaces. */
const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-")

/** The anchors of its headings; a second heading of the same words ends in -1. */
export const anchors = (markdown: string): ReadonlySet<string> => {
  const seen = new Map<string, number>()
  const found = prose(markdown).flatMap((line) => {
    const [, heading] = /^#{1,6} (.+)$/.exec(line) ?? []
    if (heading === undefined) return []
    const anchor = slug(heading)
    const times = seen.get(anchor) ?? 0
    seen.set(anchor, times + 1)
    return [times === 0 ? anchor : `${anchor}-${times}`]
  })
  return new Set(found)
}

/** Text on one line, none of which is a tag. */
export const plain = (text: string): string => text.replaceAll("<", "&lt;").replaceAll("\n", " ")

/** The text of a table's cell. */
export const cell = (text: string): string => plain(text).replaceAll("|", "\\|")

export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** Inline code; a bar in it would end a table's cell. */
export const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``
