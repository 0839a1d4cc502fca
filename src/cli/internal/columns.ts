import stringWidth from "string-width"

const graphemes = new Intl.Segmenter()

const charactersOf = (text: string): ReadonlyArray<string> =>
  Array.from(graphemes.segment(text), ({ segment }) => segment)

/** As many of these characters as fit into so many columns; wide ones take two, combining ones none. */
const take = (characters: ReadonlyArray<string>, columns: number): ReadonlyArray<string> => {
  let left = columns
  const end = characters.findIndex((character) => {
    left -= stringWidth(character)
    return left < 0
  })
  return end === -1 ? characters : characters.slice(0, end)
}

const ellipsis = "…"

/** A text in at most so many columns of a terminal: what is too much is left out at its end. */
export const cutEnd = (text: string, columns: number): string => {
  if (stringWidth(text) <= columns) return text
  return columns < 1 ? "" : `${take(charactersOf(text), columns - 1).join("")}${ellipsis}`
}

/** A text in at most so many columns of a terminal: what is too much is left out of its middle, more of its end kept. */
export const cutMiddle = (text: string, columns: number): string => {
  if (stringWidth(text) <= columns) return text
  if (columns < 1) return ""
  const characters = charactersOf(text)
  const head = take(characters, Math.floor((columns - 1) / 3)).join("")
  const tail = take(characters.toReversed(), columns - 1 - stringWidth(head)).toReversed()
  return `${head}${ellipsis}${tail.join("")}`
}

const blanks = (text: string, columns: number): string => " ".repeat(Math.max(0, columns - stringWidth(text)))

export const padEnd = (text: string, columns: number): string => `${text}${blanks(text, columns)}`

export const padStart = (text: string, columns: number): string => `${blanks(text, columns)}${text}`

/** The columns that the widest of these texts takes. */
export const widest = (texts: ReadonlyArray<string>): number =>
  texts.reduce((most, text) => Math.max(most, stringWidth(text)), 0)
