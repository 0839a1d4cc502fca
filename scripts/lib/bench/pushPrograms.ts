/** Programs that push references, eight at a time, from the engine that DOCKER_HOST names. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../temporaryFolder.ts"
import type * as Program from "./program.ts"

const concurrency = 8

const root = fileURLToPath(new URL("../../..", import.meta.url))

export const gantry = (references: ReadonlyArray<string>, ...options: ReadonlyArray<string>): Program.Program => ({
  command: process.execPath,
  arguments: [
    join(root, "dist/bin/gantry.js"),
    "push",
    ...references,
    "--concurrency",
    String(concurrency),
    "--progress",
    "none",
    ...options
  ]
})

export const dockerPush = (references: ReadonlyArray<string>): Program.Program => ({
  command: "xargs",
  arguments: [`-P${concurrency}`, "-n1", "docker", "push", "-q"],
  stdin: references.join("\n")
})

export const dockerode = (references: ReadonlyArray<string>): Program.Program => ({
  command: process.execPath,
  arguments: [join(root, "scripts/lib/bench/dockerodePush.mjs"), ...references]
})

/** A home in which no docker configuration is. */
export const home = temporaryFolder("bench")
