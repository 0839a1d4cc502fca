import * as Effect from "effect/Effect"
import type * as LabUser from "../../../scripts/lib/stack/LabUser.ts"
import type { TokenServer } from "../../../scripts/lib/stack/TokenServer.ts"

/** What the token server gives a user outside any client. */
export const askTokenServer = (server: TokenServer, user: LabUser.LabUser, query: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    const parameters = new URLSearchParams({ service: server.service, ...query })
    const basic = Buffer.from(`${user.username}:${user.password}`).toString("base64")
    const answer = await fetch(`${server.realm}?${parameters}`, { headers: { authorization: `Basic ${basic}` } })
    return (await answer.json()) as { readonly token: string; readonly refresh_token?: string }
  })
