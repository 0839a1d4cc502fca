/** A secret that is easy to find again, in whatever form it got out. */
import { randomUUID } from "node:crypto"

/** Every writing of it differs: JSON escapes the quote and the backslash, URLs the blank, the plus and the umlaut. */
export const make = (kind: string): string => `canary "${kind}" \\ +ü${randomUUID()}`

/** Base64 of a text inside a longer one begins at any of three places; the digits at its ends depend on its neighbours. */
const base64Cores = (text: string): ReadonlyArray<string> =>
  [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
      .toString("base64")
      .replace(/=+$/, "")
    return encoded.slice(shift === 0 ? 0 : shift + 1, -1)
  })

const formsOf = (canary: string): ReadonlyArray<string> => {
  const json = JSON.stringify(canary).slice(1, -1)
  const form = new URLSearchParams({ x: canary }).toString().slice(2)
  const cores = [canary, json, encodeURIComponent(canary)].flatMap(base64Cores)
  return [
    canary,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(canary),
    form,
    ...cores,
    ...cores.map((core) => core.replaceAll("+", "-").replaceAll("/", "_"))
  ]
}

/** Which canaries a text shows, by name. */
export const leaksIn = (text: string, canaries: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(canaries).flatMap(([name, canary]) =>
    formsOf(canary).some((form) => text.includes(form)) ? [name] : []
  )
