import { styleText } from "node:util"

/** What colours say. The words say it too. */
export interface Paint {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warning: (text: string) => string
  readonly moving: (text: string) => string
  readonly faint: (text: string) => string
}

// The caller knows whether there is to be colour, and that about stderr: Node would ask stdout.
const style = (format: "green" | "red" | "yellow" | "cyan" | "dim") => (text: string) =>
  text === "" ? "" : styleText(format, text, { validateStream: false })

export const coloured: Paint = {
  good: style("green"),
  bad: style("red"),
  warning: style("yellow"),
  moving: style("cyan"),
  faint: style("dim")
}

const asItIs = (text: string): string => text

export const colourless: Paint = { good: asItIs, bad: asItIs, warning: asItIs, moving: asItIs, faint: asItIs }
