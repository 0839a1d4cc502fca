import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"

/** `Authorization: Basic`, in UTF-8: https://www.rfc-editor.org/rfc/rfc7617 */
export const basic = (username: string, password: Redacted.Redacted): Redacted.Redacted =>
  Redacted.make(`Basic ${Encoding.encodeBase64(`${username}:${Redacted.value(password)}`)}`)

export const bearer = (token: Redacted.Redacted): Redacted.Redacted => Redacted.make(`Bearer ${Redacted.value(token)}`)
