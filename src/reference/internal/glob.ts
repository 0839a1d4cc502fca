/** Whether the whole text is what the pattern says: `*` stands for any characters or none, `?` for one. */
export const matchesGlob = (pattern: string, text: string): boolean => {
  let [inPattern, inText] = [0, 0]
  // Where the last `*` is, and the first character that it does not take: taking one more is the only way back there is.
  let [star, taken] = [-1, 0]
  while (inText < text.length) {
    if (pattern[inPattern] === "*") {
      star = inPattern++
      taken = inText
    } else if (pattern[inPattern] === "?" || pattern[inPattern] === text[inText]) {
      inPattern++
      inText++
    } else if (star >= 0) {
      inPattern = star + 1
      inText = ++taken
    } else {
      return false
    }
  }
  return /^\**$/.test(pattern.slice(inPattern))
}

/** What a pattern of tags is, as messages name it. */
export const tagGlobForm = "a tag in which * stands for any characters and ? for one, such as v*"

/** Whether a pattern can match a tag. */
export const isTagGlob = (pattern: string): boolean => /^[A-Za-z0-9_*?][A-Za-z0-9_.*?-]{0,127}$/.test(pattern)
