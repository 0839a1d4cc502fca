import { createHash } from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A folder that goes with the scope. */
export const temporaryFolder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "gantry-context-"))),
  (folder) => Effect.sync(() => NodeFs.rmSync(folder, { recursive: true }))
)

const write = (path: string, text: string): void => {
  NodeFs.mkdirSync(NodePath.dirname(path), { recursive: true })
  NodeFs.writeFileSync(path, text)
}

const idOf = (name: string): string => createHash("sha256").update(name).digest("hex")

/** Writes a file of a context as the docker command does; `text` is its meta.json. */
export const writeMeta = (folder: string, name: string, text: string): string => {
  const path = NodePath.join(folder, "contexts", "meta", idOf(name), "meta.json")
  write(path, text)
  return path
}

export interface ContextFixture {
  readonly host: string
  readonly skipVerify?: boolean
  /** By file: `ca.pem`, `cert.pem`, `key.pem`. */
  readonly tls?: Readonly<Record<string, string>>
}

export const tlsFolder = (folder: string, name: string): string =>
  NodePath.join(folder, "contexts", "tls", idOf(name), "docker")

export const writeContext = (folder: string, name: string, { host, skipVerify, tls }: ContextFixture): void => {
  const endpoint = { Host: host, SkipTLSVerify: skipVerify ?? false }
  writeMeta(folder, name, JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker: endpoint } }))
  for (const [file, text] of Object.entries(tls ?? {})) write(NodePath.join(tlsFolder(folder, name), file), text)
}

export const writeConfig = (folder: string, text: string): string => {
  const path = NodePath.join(folder, "config.json")
  write(path, text)
  return path
}
