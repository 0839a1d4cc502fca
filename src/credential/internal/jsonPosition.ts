type State = "value" | "first item" | "first key" | "key" | "colon" | "after item" | "after member" | "end"

const value = { "{": "first key", "[": "first item", string: "after", scalar: "after" } as const

/**
 * What may follow what (RFC 8259), by token; `after` stands for the state that the enclosing container gives.
 */
const grammar: Record<State, { readonly [token: string]: State | "after" }> = {
  value,
  "first item": { ...value, "]": "after" },
  "first key": { string: "colon", "}": "after" },
  key: { string: "colon" },
  colon: { ":": "value" },
  "after item": { ",": "value", "]": "after" },
  "after member": { ",": "key", "}": "after" },
  end: {}
}

const whitespace = /[ \t\n\r]*/y
const tokens = [
  [undefined, /[{}[\]:,]/y],
  ["string", /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y],
  ["scalar", /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y]
] as const

const matchAt = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ""
}

const tokenAt = (text: string, at: number): { readonly name: string; readonly length: number } => {
  for (const [name, pattern] of tokens) {
    const lexeme = matchAt(pattern, text, at)
    if (lexeme !== "") {
      return { name: name ?? lexeme, length: lexeme.length }
    }
  }
  return { name: "unknown", length: 0 }
}

/**
 * The offset of the first token at which a text stops being JSON, or -1 for a text that is JSON.
 *
 * The message of `JSON.parse` has the offset only sometimes, and quotes the text around it: a file of credentials needs
 * its own finder.
 */
export const jsonErrorPosition = (text: string): number => {
  const containers: Array<State> = ["end"]
  let state: State = "value"
  let at = 0
  for (;;) {
    at += matchAt(whitespace, text, at).length
    if (at === text.length) {
      return state === "end" ? -1 : at
    }
    const token = tokenAt(text, at)
    const next: State | "after" | undefined = grammar[state][token.name]
    if (next === undefined) {
      return at
    }
    if (token.name === "{" || token.name === "[") {
      containers.push(token.name === "{" ? "after member" : "after item")
    } else if (token.name === "}" || token.name === "]") {
      containers.pop()
    }
    state = next === "after" ? (containers.at(-1) ?? "end") : next
    at += token.length
  }
}
