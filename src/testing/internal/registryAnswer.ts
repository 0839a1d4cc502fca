import type { RegistryResponse } from "../../distribution/RegistryHttp.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An answer with a body of text, as every part of the registry in memory gives them. */
export const answer = (
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = ""
): RegistryResponse => ({
  status,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]])),
  body: typeof body === "string" ? encode(body) : body,
  truncated: false
})

export const json = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {}
): RegistryResponse => answer(status, { "content-type": "application/json", ...headers }, JSON.stringify(value))

/** A refusal in the form of https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
export const refuse = (
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): RegistryResponse => json(status, { errors: [{ code, message }] }, headers)
