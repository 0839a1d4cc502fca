/**
 * Passwords of a registry that change while it runs.
 */
import { spawn } from "node:child_process"
import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { Registry } from "../../../scripts/lib/stack/Registry.ts"

/** A login as it stands in the file. */
export const login = (username: string, password: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const child = spawn("htpasswd", ["-niB", username], { stdio: ["pipe", "pipe", "ignore"] })
    child.stdin.end(password)
    let line = ""
    for await (const chunk of child.stdout) line += chunk
    return `${line.trim()}\n`
  })

/** Makes this the only login that an htpasswd registry takes, from its next request on. */
export const install = (registry: Registry, login: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const file = join(registry.folder, "htpasswd")
    await writeFile(`${file}.new`, login)
    await rename(`${file}.new`, file)
  })

export const admit = (registry: Registry, username: string, password: string): Effect.Effect<void> =>
  Effect.flatMap(login(username, password), (made) => install(registry, made))
