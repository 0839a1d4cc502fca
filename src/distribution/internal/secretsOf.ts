import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Credential, echoes } from "../../credential/Credential.ts"

/** Every form in which a request carries a credential, so that no error repeats one that a server has echoed. */
export const secretsOf = (
  credential: Option.Option<Credential>,
  authorization: Redacted.Redacted | undefined
): ReadonlyArray<string> => [
  ...(authorization === undefined ? [] : Redacted.value(authorization).split(" ").slice(1)),
  ...echoes(credential)
]
