/**
 * Counts the characters a function looks at: one for each `charCodeAt`, the whole text for any other method of a
 * string, and the whole input for a regular expression. What backtracks inside one expression is not seen.
 */
export const countSteps = (run: () => void): number => {
  let steps = 0
  const restores: Array<() => void> = []
  const count = (target: object, name: string, cost: (self: unknown, first: unknown) => number) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, name)
    if (descriptor === undefined || typeof descriptor.value !== "function") return
    const original = descriptor.value
    Object.defineProperty(target, name, {
      ...descriptor,
      value: function (this: unknown, ...args: ReadonlyArray<unknown>) {
        steps += cost(this, args[0])
        return Reflect.apply(original, this, args)
      }
    })
    restores.push(() => Object.defineProperty(target, name, descriptor))
  }
  for (const name of Object.getOwnPropertyNames(String.prototype)) {
    if (name !== "constructor")
      count(String.prototype, name, (self) => (name === "charCodeAt" ? 1 : String(self).length))
  }
  count(RegExp.prototype, "exec", (_, input) => String(input).length)
  count(RegExp.prototype, "test", (_, input) => String(input).length)
  try {
    run()
    return steps
  } finally {
    for (const restore of restores) restore()
  }
}

/** Texts that make careless parsers look at the same characters again and again, by length. */
export const hostileTexts: Readonly<Record<string, (length: number) => string>> = {
  "letters and a bad end": (length) => `${"a".repeat(length)}!`,
  "path segments and a line break": (length) => `a${"/a".repeat(length / 2)}\n`,
  "path segments of a host": (length) => `reg.io${"/a".repeat(length / 2)}`,
  separators: (length) => `a${"-".repeat(length)}`,
  underscores: (length) => `a${"_".repeat(length)}`,
  "labels of a host": (length) => `${"a.".repeat(length / 2)}a/x`,
  "hyphens of a host": (length) => `a.${"-".repeat(length)}/x`,
  brackets: (length) => `${"[".repeat(length)}/x`,
  "an open address": (length) => `[${":".repeat(length)}/x`,
  ports: (length) => `a${":1".repeat(length / 2)}/x`,
  "at signs": (length) => "@".repeat(length),
  "a tag": (length) => `reg.io/a:${"t".repeat(length)}`,
  digests: (length) => `a${"@sha256:0".repeat(length / 9)}`,
  "a digest": (length) => `a@sha256:${"0".repeat(length)}`,
  slashes: (length) => `a${"/".repeat(length)}`,
  schemes: (length) => "a://".repeat(length / 4),
  queries: (length) => `a${"?".repeat(length)}`
}
