/**
 * What `gantry exec` and `docker-credential-gantry` know of each other: where they meet, and what they say there.
 *
 * They speak HTTP over a socket in a folder that is its user's alone: the action is the path, what docker gave the helper
 * is the body, and what the helper says is the answer's body. The token proves that who asks may read that folder.
 */
import type * as Redacted from "effect/Redacted"

/** The variable that tells the helper the folder. */
export const folderVariable = "GANTRY_EXEC"

export const socketName = "socket"

export const tokenName = "token"

/** As the token stands in a header. */
export const authorization = (token: string): string => `Bearer ${token}`

/** What the helper says, and whether that is what it was asked for: its exit code. */
export interface HelperAnswer {
  readonly isGood: boolean
  readonly text: Redacted.Redacted
}

/** How an answer is said over HTTP. */
export const goodStatus = 200

export const refusedStatus = 404
