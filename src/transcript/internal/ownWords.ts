/** Where a line has one of a few words that gantry reads again, and nothing of what anybody said. */
const names: ReadonlySet<string> = new Set(["_tag", "party", "phase", "reason", "imageStore"])

/** Whether what has this name is a word of gantry's own: a password that is one, too, stays in it. */
export const isOwnWord = (name: string): boolean => names.has(name)
